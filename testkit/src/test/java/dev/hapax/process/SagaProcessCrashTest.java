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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real processes that run sagas, killed and stopped from outside. Effects are counted in the target. */
@Tag("slow")
class SagaProcessCrashTest {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int SAGAS = 60;

    private final List<ChildJvm> children = new ArrayList<>();
    private TestDatabase database;
    private Hapax hapax;

    @BeforeEach
    void open() {
        database = EmbeddedDatabase.shared().createDatabase();
        Shop.prepare(database);
        hapax = Shop.builder(database.pooled(2)).open();
    }

    @AfterEach
    void close() {
        children.forEach(ChildJvm::close);
        hapax.close();
        database.close();
    }

    private ChildJvm start() throws Exception {
        return start(1000);
    }

    private ChildJvm start(int leaseMillis) throws Exception {
        ChildJvm child = ChildJvm.of(Worker.class)
                .arguments(database.jdbcUrl(), "saga", String.valueOf(leaseMillis))
                .heap(96)
                .start();
        children.add(child);
        child.awaitLine("ready", LONG);
        return child;
    }

    /** Starts them without running any: this process has not their code. */
    private void startSagas() {
        for (int n = 0; n < SAGAS; n++) {
            hapax.sagas().start("fulfil", Key.of("orders", "order-" + n), "x");
        }
    }

    private long effects() throws SQLException {
        return database.queryLong("SELECT count(*) FROM effect");
    }

    private void awaitEnd() {
        await().atMost(LONG)
                .until(() ->
                        database.queryLong("SELECT count(*) FROM hapax.saga_ended WHERE state = 'COMPLETED'") == SAGAS);
    }

    private void exact() throws SQLException {
        assertThat(effects()).isEqualTo(5L * SAGAS);
        assertThat(database.queryLong(
                        "SELECT count(*) FROM (SELECT id FROM effect GROUP BY id HAVING count(*) <> 5) t"))
                .isZero();
    }

    @Test
    void sagas_of_a_killed_process_are_taken_over_and_each_step_is_done_once() throws Exception {
        ChildJvm first = start();
        startSagas();
        for (int kill = 1; kill <= 3; kill++) {
            long goal = effects() + 30;
            await().atMost(LONG).until(() -> effects() >= goal);
            first.kill9();
            first = start();
        }
        awaitEnd();
        exact();
    }

    @Test
    void a_process_that_was_stopped_and_wakes_up_after_the_takeover_changes_nothing() throws Exception {
        ChildJvm first = start();
        startSagas();
        await().atMost(LONG).until(() -> effects() >= 40);
        first.sigstop();
        start();
        await().atMost(LONG).until(() -> effects() >= 200);
        first.sigcont();
        awaitEnd();
        exact();
    }

    /** With the lease that sagas have if nobody says otherwise. */
    @Test
    void the_sagas_of_a_killed_process_go_on_elsewhere_within_five_seconds() throws Exception {
        ChildJvm first = start(3000);
        start(3000);
        startSagas();
        // Both are in the middle of some; and they are few, so that those which are taken over wait for nobody else.
        await().atMost(LONG)
                .until(() -> database.queryLong("SELECT count(DISTINCT owner) FROM hapax.saga WHERE state = 'RUNNING'")
                        == 2);
        first.kill9();
        database.execute("CREATE TABLE killed AS SELECT clock_timestamp() AS at");
        awaitEnd();
        exact();

        String gaps =
                "FROM (SELECT e.id, (SELECT min(t.began_at) FROM hapax.saga_history t WHERE t.saga = e.id AND t.began_at > killed.at)"
                        + " - killed.at AS gap FROM hapax.saga_ended e, killed WHERE e.losses > 0) g";
        assertThat(database.queryLong("SELECT count(*) " + gaps))
                .as("sagas that the killed process was in")
                .isPositive();
        assertThat(database.queryLong("SELECT CAST(1000 * extract(epoch FROM max(gap)) AS bigint) " + gaps))
                .as("milliseconds until the last of them went on")
                .isLessThan(5000);
    }
}
