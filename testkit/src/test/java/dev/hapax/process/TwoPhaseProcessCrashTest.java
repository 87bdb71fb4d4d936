package dev.hapax.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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

/** Processes that are killed in the middle of two-phase commits; effects and prepared transactions are counted in both databases. */
@Tag("slow")
class TwoPhaseProcessCrashTest {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int OPERATIONS = 1_200;

    private TestDatabase home;
    private TestDatabase ledger;
    private final List<ChildJvm> children = new ArrayList<>();

    @BeforeEach
    void open() throws SQLException {
        home = EmbeddedDatabase.shared().createDatabase();
        ledger = EmbeddedDatabase.shared().createDatabase();
        Shop.prepare(home);
        ledger.execute("CREATE TABLE effect (id text NOT NULL, amount int NOT NULL)");
    }

    @AfterEach
    void close() {
        children.forEach(ChildJvm::close);
        home.close();
        ledger.close();
    }

    private ChildJvm start() throws Exception {
        ChildJvm child = ChildJvm.of(TwoPhaseWorker.class)
                .arguments(home.jdbcUrl(), ledger.jdbcUrl(), String.valueOf(OPERATIONS))
                .heap(96)
                .start();
        children.add(child);
        child.awaitLine("ready", LONG);
        return child;
    }

    private long prepared() throws SQLException {
        return home.queryLong("SELECT count(*) FROM pg_prepared_xacts WHERE database IN ('" + home.name() + "', '"
                + ledger.name() + "')");
    }

    @Test
    void processes_that_are_killed_again_and_again_leave_each_effect_once_in_both_databases_and_no_orphan()
            throws Exception {
        Random random = new Random(20_261_124);
        ChildJvm child = start();
        int kills = 0;
        while (kills < 5) {
            // The moment of a kill is a number of effects in the target, drawn from the seed.
            long goal = home.queryLong("SELECT count(*) FROM effect") + 30 + random.nextInt(150);
            if (goal >= OPERATIONS) {
                break;
            }
            await().atMost(LONG)
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> home.queryLong("SELECT count(*) FROM effect") >= goal);
            child.kill9();
            kills++;
            // Without a memory of its own: it begins again with the first operation.
            child = start();
        }
        assertThat(kills).isGreaterThanOrEqualTo(3);
        child.awaitLine("done", LONG);
        await().atMost(LONG).until(() -> prepared() == 0);
        for (TestDatabase database : List.of(home, ledger)) {
            assertThat(database.queryLong("SELECT count(*) FROM effect")).isEqualTo(OPERATIONS);
            assertThat(database.queryLong("SELECT count(DISTINCT id) FROM effect"))
                    .isEqualTo(OPERATIONS);
        }
        assertThat(home.queryLong("SELECT count(*) FROM hapax.two_phase_branch"))
                .isZero();
    }
}
