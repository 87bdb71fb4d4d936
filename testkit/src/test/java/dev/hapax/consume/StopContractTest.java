package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a stop does to a batch that does not end within its time. */
@Tag("slow")
class StopContractTest extends ConsumerFixture {

    private static final Duration SHORT = Duration.ofMillis(200);

    private long owned() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE owner IS NOT NULL");
    }

    private long waiting() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                + " AND wait_event_type = 'Lock'");
    }

    @Test
    void a_handler_that_waits_for_a_lock_is_rolled_back_whenever_it_gets_it() throws SQLException {
        shop.database.execute("CREATE TABLE stock (id text PRIMARY KEY)");
        shop.database.execute("INSERT INTO stock VALUES ('a')");
        try (Connection other = shop.pool.getConnection();
                Statement lock = other.createStatement()) {
            other.setAutoCommit(false);
            lock.execute("SELECT FROM stock FOR UPDATE");
            Consumer running = consumer("one")
                    .handle(String.class, (body, tx) -> {
                        handled(tx.connection(), tx.message().messageKey(), body);
                        try (Statement update = tx.connection().createStatement()) {
                            update.execute("UPDATE stock SET id = 'b'");
                        }
                    })
                    .start();
            publish("a", "1");
            await().until(() -> waiting() == 1);
            await().until(() -> owned() == Lanes.COUNT);
            assertThat(running.stop(SHORT)).isFalse();
            // Its threads end, and give all back, while the lock is still held.
            await().until(() -> running.stop(SHORT));
            assertThat(owned()).isZero();
            assertThat(waiting()).isEqualTo(1);
            other.commit();
        }
        await().until(() -> waiting() == 0
                && shop.database.queryLong("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                + " AND state <> 'idle' AND pid <> pg_backend_pid()")
                        == 0);
        assertThat(count()).isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM stock WHERE id = 'a'"))
                .isEqualTo(1);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held")).isZero();
        try (Consumer again = writing("one").start()) {
            await().until(() -> count() == 1);
        }
    }

    /** A handler that hears no interrupt, and ends well in the second after it. */
    @Test
    void a_handler_that_ends_after_the_time_is_rolled_back_as_well() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        Consumer running = consumer("one")
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    inside.countDown();
                    boolean interrupted = false;
                    while (!interrupted) {
                        interrupted = Thread.interrupted();
                        Thread.onSpinWait();
                    }
                })
                .start();
        publish("a", "1");
        inside.await();
        await().until(() -> owned() == Lanes.COUNT);
        assertThat(running.stop(SHORT)).isFalse();
        await().until(() -> running.stop(SHORT));
        assertThat(count()).isZero();
        assertThat(owned()).isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held")).isZero();
    }
}
