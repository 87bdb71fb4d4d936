package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which tries of a held message count: those that its handler failed, and those from which nobody came back. */
@Tag("slow")
class HeldTriesContractTest extends ConsumerFixture {

    private static final int TRIES = 3;

    /** What happens at a try, from 1. */
    @FunctionalInterface
    private interface Trial {
        void at(int run, MessageTransaction tx) throws Exception;
    }

    /** The first run fails, so that the message is held. */
    private ConsumerBuilder failingFirst(AtomicInteger runs, Trial trial) {
        return consumer("one").quarantineAfter(TRIES).handle(String.class, (body, tx) -> {
            if (body.equals("held")) {
                int run = runs.incrementAndGet();
                if (run == 1) {
                    throw new IllegalStateException("not yet");
                }
                trial.at(run, tx);
            }
            handled(tx.connection(), tx.message().messageKey(), body);
        });
    }

    private long attempts() throws SQLException {
        return shop.database.queryLong("SELECT coalesce(max(attempts), 0) FROM hapax.held");
    }

    @Test
    void transactions_that_are_rolled_back_because_of_others_are_done_again_within_a_try() throws SQLException {
        AtomicInteger runs = new AtomicInteger();
        AtomicInteger attempt = new AtomicInteger();
        try (Consumer running = failingFirst(runs, (run, tx) -> {
                    attempt.set(tx.message().attempt());
                    if (run <= 2 + TRIES) {
                        throw new SQLException("could not serialize access", "40001");
                    }
                })
                .start()) {
            publish("a", "held");
            await().until(() -> count() == 1);
        }
        assertThat(attempt).hasValue(2);
        assertThat(runs).hasValue(3 + TRIES);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held")).isZero();
    }

    @Test
    void deadlocks_without_end_count_as_one_failure() throws SQLException {
        AtomicInteger runs = new AtomicInteger();
        try (Consumer running = failingFirst(runs, (run, tx) -> {
                    throw new SQLException("deadlock detected", "40P01");
                })
                .start()) {
            publish("a", "held");
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> shop.database.queryLong(
                                    "SELECT count(*) FROM hapax.held WHERE state = 'QUARANTINED' AND attempts = "
                                            + TRIES + " AND reason LIKE '%deadlock detected%'")
                            == 1);
        }
    }

    @Test
    void a_connection_that_is_lost_again_and_again_is_no_try() throws SQLException {
        AtomicInteger runs = new AtomicInteger();
        try (Consumer running = failingFirst(runs, (run, tx) -> {
                    if (run <= 2 + TRIES) {
                        try (Statement end = tx.connection().createStatement()) {
                            end.execute("SELECT pg_terminate_backend(pg_backend_pid())");
                        }
                    }
                })
                .start()) {
            publish("a", "held");
            await().atMost(Duration.ofSeconds(60)).until(() -> count() == 1);
            publish("a", "behind");
            await().until(() -> count() == 2);
        }
        assertThat(handled("a")).containsExactly("held", "behind");
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held")).isZero();
    }

    @Test
    void a_stop_in_the_middle_of_a_try_takes_it_back() throws Exception {
        publish("a", "held");
        AtomicInteger runs = new AtomicInteger();
        for (int stop = 1; stop <= TRIES; stop++) {
            CountDownLatch inside = new CountDownLatch(1);
            CountDownLatch never = new CountDownLatch(1);
            Consumer running = failingFirst(runs, (run, tx) -> {
                        inside.countDown();
                        never.await();
                    })
                    .start();
            inside.await();
            assertThat(attempts()).isEqualTo(2);
            assertThat(running.stop(Duration.ofMillis(100))).isFalse();
            assertThat(attempts()).isEqualTo(1);
        }
        try (Consumer running = failingFirst(runs, (run, tx) -> {}).start()) {
            await().until(() -> count() == 1);
        }
    }

    /** A process that is killed leaves its try counted: what a message does to its reader is found out so. */
    @Test
    void a_try_from_which_nobody_came_back_counts() throws Exception {
        publish("a", "held");
        AtomicInteger runs = new AtomicInteger();
        try (Consumer running = failingFirst(runs, (run, tx) -> {
                    throw new IllegalStateException("still not");
                })
                .backoff(Duration.ofSeconds(5), Duration.ofSeconds(5))
                .start()) {
            await().until(() -> attempts() == 1);
        }
        shop.database.execute("UPDATE hapax.held SET attempts = " + TRIES + ", next_at = now()");
        try (Consumer running = failingFirst(runs, (run, tx) -> {}).start()) {
            await().until(() ->
                    shop.database.queryLong("SELECT count(*) FROM hapax.held WHERE reason LIKE '%reader died%'") == 1);
        }
        assertThat(runs).hasValue(1);
    }
}
