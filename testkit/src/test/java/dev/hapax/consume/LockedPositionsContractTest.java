package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Somebody stands still in the middle of a commit, and keeps the row of a position locked. */
@Tag("slow")
class LockedPositionsContractTest extends ConsumerFixture {

    private static final Duration LEASE = Duration.ofSeconds(1);

    private static final int LOCKED = 3;

    private long live() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE leased_until > clock_timestamp()");
    }

    /** As the last statement of an owner does that moves its position. */
    private static void lock(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT FROM hapax.position WHERE lane = " + LOCKED + " FOR UPDATE");
        }
    }

    private static String keyIn(int lane) {
        for (int i = 0; ; i++) {
            if (Lanes.of("k" + i) == lane) {
                return "k" + i;
            }
        }
    }

    private void publishToAllLanes(String body) throws SQLException {
        for (int lane = 0; lane < Lanes.COUNT; lane++) {
            publish(keyIn(lane), body);
        }
    }

    @Test
    void a_lane_whose_row_is_locked_keeps_no_other_from_being_taken_over_and_kept() throws SQLException {
        try (Consumer first = writing("one").lease(LEASE).start()) {
            await().until(() -> live() == Lanes.COUNT);
        }
        publishToAllLanes("1");
        // Its owner is gone, or stands still: its leases have run out.
        shop.database.execute("UPDATE hapax.position SET owner = 'gone', leased_until = now()");
        try (Connection stuck = shop.pool.getConnection()) {
            lock(stuck);
            try (Consumer running = writing("one").lease(LEASE).start()) {
                await().until(() -> live() == Lanes.COUNT - 1 && count() == Lanes.COUNT - 1);
                // Three leases long: they are renewed meanwhile.
                await().during(LEASE.multipliedBy(3))
                        .atMost(LEASE.multipliedBy(6))
                        .until(() -> live() == Lanes.COUNT - 1);
                stuck.rollback();
                await().until(() -> count() == Lanes.COUNT);
            }
        }
        assertThat(handled(keyIn(LOCKED))).containsExactly("1");
    }

    @Test
    void a_worker_that_lost_its_connection_in_a_commit_goes_on_with_its_other_lanes() throws SQLException {
        AtomicBoolean lost = new AtomicBoolean();
        try (Connection stuck = shop.pool.getConnection();
                Consumer running = consumer("one")
                        .lease(LEASE)
                        .concurrency(1)
                        .handle(String.class, (body, tx) -> {
                            handled(tx.connection(), tx.message().messageKey(), body);
                            if (lost.compareAndSet(false, true)) {
                                // The server still has the session of the transaction that was lost.
                                lock(stuck);
                                throw new SQLException("an I/O error", "08006");
                            }
                        })
                        .start()) {
            publish(keyIn(LOCKED + 1), "lost");
            await().until(() -> count() == 1);
            publishToAllLanes("1");
            await().until(() -> count() == Lanes.COUNT);
            assertThat(handled(keyIn(LOCKED))).isEmpty();
            stuck.rollback();
            await().until(() -> count() == Lanes.COUNT + 1);
        }
        assertThat(handled(keyIn(LOCKED + 1))).containsExactly("lost", "1");
    }
}
