package dev.hapax.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.testkit.ChildJvm;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real processes that call a bank, killed and stopped from outside. Charges are counted at the bank, effects in the target. */
@Tag("slow")
class ClaimProcessCrashTest {

    private static final Duration LONG = Duration.ofSeconds(90);

    private TestDatabase database;
    private final List<ChildJvm> children = new ArrayList<>();

    @BeforeEach
    void open() throws SQLException {
        database = EmbeddedDatabase.shared().createDatabase();
        Shop.prepare(database);
        database.execute("CREATE TABLE bank (id text NOT NULL, key text NOT NULL)");
    }

    @AfterEach
    void close() {
        children.forEach(ChildJvm::close);
        database.close();
    }

    private ChildJvm start(String... arguments) {
        List<String> all = new ArrayList<>(List.of(database.jdbcUrl()));
        all.addAll(List.of(arguments));
        ChildJvm child = ChildJvm.of(ClaimWorker.class)
                .arguments(all.toArray(String[]::new))
                .heap(96)
                .start();
        children.add(child);
        return child;
    }

    private long charges() throws SQLException {
        return database.queryLong("SELECT count(*) FROM bank");
    }

    private long effects() throws SQLException {
        return database.queryLong("SELECT count(*) FROM effect");
    }

    private long twice(String table) throws SQLException {
        return database.queryLong(
                "SELECT count(*) FROM (SELECT id FROM " + table + " GROUP BY id HAVING count(*) > 1) t");
    }

    @Test
    void workers_that_are_killed_again_and_again_charge_each_once_at_a_bank_that_can_only_be_asked() throws Exception {
        int claims = 300;
        try (Hapax hapax = Shop.builder(database.pooled(4)).open()) {
            var kind = hapax.claims(ClaimWorker.SCOPE, String.class, String.class)
                    .perform((id, call) -> {
                        throw new IllegalStateException("this process is not to call");
                    })
                    .start();
            kind.close();
            hapax.once(Shop.newKey()).run(tx -> {
                for (int n = 0; n < claims; n++) {
                    kind.submit(tx, Key.of(ClaimWorker.SCOPE, "order-" + n), "order-" + n);
                }
            });
        }
        Random random = new Random(20_261_124);
        ChildJvm worker = start("work", "1000");
        for (int kills = 0; kills < 4; kills++) {
            long goal = Math.min(claims - 20, charges() + 20 + random.nextInt(40));
            await().atMost(LONG).until(() -> charges() >= goal);
            worker.kill9();
            worker = start("work", "1000");
        }
        await().atMost(LONG).until(() -> effects() >= claims);
        assertThat(effects()).isEqualTo(claims);
        assertThat(charges()).isEqualTo(claims);
        assertThat(twice("bank")).isZero();
        assertThat(twice("effect")).isZero();
        assertThat(database.queryLong("SELECT count(*) FROM hapax.claim")).isZero();
    }

    @Test
    void a_process_that_was_stopped_after_its_call_and_wakes_up_after_the_takeover_changes_nothing() throws Exception {
        ChildJvm first = start("claim", "order-1", "1000", "2");
        await().atMost(LONG).until(() -> charges() == 1);
        first.sigstop();
        ChildJvm second = start("claim", "order-1", "1000", "0");
        second.awaitLine("result Settled", LONG);
        first.sigcont();
        first.awaitLine("fenced", LONG);
        assertThat(charges()).isEqualTo(1);
        assertThat(effects()).isEqualTo(1);
    }
}
