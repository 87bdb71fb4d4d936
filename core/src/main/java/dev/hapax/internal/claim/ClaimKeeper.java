package dev.hapax.internal.claim;

import dev.hapax.internal.Connections;
import dev.hapax.internal.SystemSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that looks after claims which are being worked on: it extends their leases, and measures what is in doubt. It starts with the first claim. Safe for use by many threads.
 */
final class ClaimKeeper implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ClaimKeeper.class);
    private static final long LOOK_MILLIS = 100;
    private static final long MEASURE_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int EXTENDED_AT_ONCE = 1000;
    private static final String MEASURE =
            "SELECT s.name, count(*), extract(epoch FROM clock_timestamp() - min(" + StoredClaims.DOUBT_SINCE + "))"
                    + " FROM hapax.claim c JOIN hapax.scope s ON s.id = c.scope WHERE " + StoredClaims.DOUBT_SINCE
                    + " IS NOT NULL GROUP BY s.name";

    /** It reads all that is in flight. Where that is a lot it is done more seldom: it rests so many times as long as it took. */
    private static final int MEASURE_RESTS = 20;

    private static final long MEASURE_LONGEST_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final Connections connections;
    private final ClaimTaking taking;
    private final ScheduledExecutorService thread;
    private final AtomicBoolean started = new AtomicBoolean();
    private final Set<Running> running = ConcurrentHashMap.newKeySet();
    private volatile Map<String, Doubt> inDoubt = Map.of();
    private long measuredNanos = SystemSource.INSTANCE.nanos() - MEASURE_NANOS;
    private long measureAfterNanos = MEASURE_NANOS;
    private boolean reachable = true;

    ClaimKeeper(String service, Connections connections, ClaimTaking taking) {
        this.connections = connections;
        this.taking = taking;
        this.thread = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("hapax-claims-" + service).factory());
    }

    /** What is in doubt in one scope. */
    record Doubt(long count, double oldestSeconds) {

        static final Doubt NONE = new Doubt(0, 0);
    }

    Doubt inDoubt(String scope) {
        return inDoubt.getOrDefault(scope, Doubt.NONE);
    }

    /** The calling thread works on this claim from now on. */
    Running begin(Held held) {
        Running one = new Running(held);
        running.add(one);
        if (!started.get() && started.compareAndSet(false, true)) {
            thread.scheduleWithFixedDelay(this::step, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
        return one;
    }

    /** It does so no longer. */
    void end(Running one) {
        running.remove(one);
    }

    private void step() {
        try {
            long now = SystemSource.INSTANCE.nanos();
            List<Held> due = new ArrayList<>();
            for (Running one : running) {
                if (due.size() < EXTENDED_AT_ONCE && one.wantsExtension(now)) {
                    due.add(one.held);
                }
            }
            if (!due.isEmpty()) {
                connections.autoCommit(connection -> {
                    taking.extend(connection, due);
                    return due;
                });
            }
            if (now - measuredNanos >= measureAfterNanos) {
                measuredNanos = now;
                inDoubt = connections.autoCommit(ClaimKeeper::measure);
                long took = SystemSource.INSTANCE.nanos() - now;
                measureAfterNanos = Math.clamp(took * MEASURE_RESTS, MEASURE_NANOS, MEASURE_LONGEST_NANOS);
            }
            reachable = true;
        } catch (SQLException e) {
            // Once per outage: a line every 100 ms says no more.
            if (reachable && !thread.isShutdown()) {
                LOG.warn(
                        "leases of claims can't be extended, which is tried again every {} ms: {}",
                        LOOK_MILLIS,
                        e.toString());
            }
            reachable = false;
        } catch (RuntimeException e) {
            LOG.error("looking after claims failed", e);
        }
    }

    private static Map<String, Doubt> measure(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(MEASURE);
                ResultSet row = select.executeQuery()) {
            Map<String, Doubt> found = new HashMap<>();
            while (row.next()) {
                found.put(row.getString(1), new Doubt(row.getLong(2), row.getDouble(3)));
            }
            return Map.copyOf(found);
        }
    }

    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(5, TimeUnit.SECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
