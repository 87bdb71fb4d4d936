package dev.hapax.internal.consume;

import dev.hapax.internal.SystemSource;
import dev.hapax.internal.log.Lanes;
import dev.hapax.spi.Metrics;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out which gaps of lanes can't be filled any more. Used by one thread.
 *
 * <p>Most gaps are over when the xmin of a snapshot has reached their bound, and that costs nothing. But xmin stands still for as long as any transaction of the database does, and gaps gather
 * meanwhile. Where there are many, it is asked who can fill them at all: whoever draws a number locks the lane's sequence until his transaction ends, after he owns an xid. So once the locks
 * were read, no gap is filled whose bound is no greater than the smallest xid among their holders; and a look that begins after that sees what the others have left.
 */
final class GapBounds {

    private static final Logger LOG = LoggerFactory.getLogger(GapBounds.class);

    /** Locks are read at most so often: that touches each session of the server. */
    private static final long WRITERS_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** The transactions that have drawn numbers, by lane. The locks are read once, and after the sessions' own, which those of relations mostly are, those that an xid has. */
    private static final String WRITERS =
            "WITH locks AS MATERIALIZED (SELECT * FROM pg_locks WHERE granted AND (locktype = 'relation' AND mode = 'RowExclusiveLock'"
                    + " OR locktype = 'transactionid' AND mode = 'ExclusiveLock'))"
                    + " SELECT s.lane, CAST(CAST(x.transactionid AS text) AS bigint), r.pid FROM"
                    + " (SELECT lane, CAST(CAST('hapax.lane_' || lane AS regclass) AS oid) AS id FROM generate_series(0, "
                    + (Lanes.COUNT - 1) + ") AS lane) s"
                    + " JOIN locks r ON r.locktype = 'relation' AND r.relation = s.id"
                    + " AND r.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                    + " JOIN locks x ON x.locktype = 'transactionid' AND x.virtualtransaction = r.virtualtransaction";

    private final String consumer;
    private final Metrics metrics;
    private long bound;
    private long askedNanos = SystemSource.INSTANCE.nanos() - WRITERS_NANOS;

    GapBounds(String consumer, Metrics metrics) {
        this.consumer = consumer;
        this.metrics = metrics;
    }

    /**
     * Up to which bound the gaps of a lane are over, after what a look has found in them was taken out; {@link LogReader#NO_XMIN} if the look says nothing of gaps.
     */
    static long over(LogReader.Look look, Lane lane) {
        return look.xmin() == LogReader.NO_XMIN || !look.wholeGaps()
                ? LogReader.NO_XMIN
                : Math.max(look.xmin(), lane.settled);
    }

    /** Draws a bound for gaps that have none, and finds out who can still fill them where there are many. Outside a transaction. */
    void renew(Connection connection, Collection<Lane> lanes) throws SQLException {
        if (lanes.stream().anyMatch(lane -> lane.position.isUnbounded())) {
            bound = drawBound(connection);
            lanes.forEach(lane -> lane.position.bound(bound));
        }
        long now = SystemSource.INSTANCE.nanos();
        if (now - askedNanos >= WRITERS_NANOS && lanes.stream().anyMatch(Lane::isCrowded)) {
            askedNanos = now;
            settle(connection, lanes);
        }
        lanes.forEach(lane -> lane.isTold &= lane.isFull());
    }

    /** An xid of our own: every transaction that has one by now has a smaller one. */
    private static long drawBound(Connection connection) throws SQLException {
        try (PreparedStatement select =
                        connection.prepareStatement("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)");
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getLong(1);
        }
    }

    private void settle(Connection connection, Collection<Lane> lanes) throws SQLException {
        // No later than the last bound: gaps that are found after this have a greater one.
        long[] smallest = new long[Lanes.COUNT];
        Arrays.fill(smallest, bound);
        @Nullable String[] holder = new String[Lanes.COUNT];
        try (PreparedStatement select = connection.prepareStatement(WRITERS);
                ResultSet row = select.executeQuery()) {
            while (row.next()) {
                int lane = row.getInt(1);
                long xid = whole(row.getLong(2));
                if (xid < smallest[lane]) {
                    smallest[lane] = xid;
                    holder[lane] = row.getString(3);
                }
            }
        }
        for (Lane lane : lanes) {
            lane.settled = smallest[lane.number];
            if (lane.isFull() && lane.settled < bound && !lane.isTold) {
                lane.isTold = true;
                metrics.stalled(consumer);
                LOG.warn(
                        "consumer {} stands still in lane {}: it waits for {} gaps, and a transaction that has published into the lane is still open ({})",
                        consumer,
                        lane.number,
                        lane.position.gaps().size(),
                        holder[lane.number] == null ? "a prepared one" : "process " + holder[lane.number]);
            }
        }
    }

    /** Locks have the lower half of an xid. All that are open lie within two thousand millions of one another. */
    private long whole(long half) {
        return bound + (int) (half - bound);
    }
}
