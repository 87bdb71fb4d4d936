package dev.hapax.internal;

import dev.hapax.internal.log.Drawn;
import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The background thread of an opened service. It asks the database, in one statement, what is paused, what time it is, whether its history goes on, whether delayed messages are due, and which
 * numbers of the log were drawn. It does nothing that may take long: what is to be done in the house, it has {@link Housework} do. Consumers that have nothing to do leave the looking to it, however many they are.
 *
 * <p>Where the last look found nothing new, a glance goes before the next one: whether the server is the same, and no transaction has ended since. Then all the rest is as it was, but for what time
 * brings: delayed messages and beats, for which it looks again when they may be due.
 */
final class Keeper implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Keeper.class);
    private static final long LOOK_MILLIS = 250;
    private static final long LOOK_FOR_CONSUMERS_MILLIS = 100;
    private static final long LOOK_AT_LEAST_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int TIMEOUT_SECONDS = 5;
    private static final int HISTORY_COLUMN = 8;

    /** What comes due until the next look is asked for as well. The statement's own time, which unlike the clock's is one, can be looked up in an index. */
    private static final String DUE =
            "(SELECT due_at <= statement_timestamp() FROM hapax.delayed WHERE due_at <= statement_timestamp() + interval '1 second' ORDER BY due_at LIMIT 1)";

    private static final String SNAPSHOT = "CAST(pg_current_snapshot() AS text)";
    private static final String SERVER = "CAST(pg_postmaster_start_time() AS text)";

    private static final String LOOK = "SELECT " + DatabaseClock.NOW + ", " + DUE + ", p.kind, p.name, " + Lanes.DRAWN
            + ", " + SNAPSHOT + ", " + SERVER + ", " + HistoryGuard.COLUMNS + " FROM (VALUES (1)) one"
            + HistoryGuard.JOINS + " LEFT JOIN hapax.paused p ON true";

    private static final String GLANCE = "SELECT " + SNAPSHOT + " = ? AND " + SERVER + " = ?";

    private final Connections connections;
    private final DatabaseClock clock;
    private final Pauses pauses;
    private final HistoryGuard history;
    private final Drawn drawn;
    private final Signals signals;
    private final Housework housework;
    private final ScheduledExecutorService thread;
    private boolean reachable = true;
    private @Nullable Look last;
    private int changes;

    Keeper(
            String service,
            Connections connections,
            DatabaseClock clock,
            Pauses pauses,
            HistoryGuard history,
            Drawn drawn,
            Signals signals,
            Housework housework) {
        this.connections = connections;
        this.clock = clock;
        this.pauses = pauses;
        this.history = history;
        this.drawn = drawn;
        this.signals = signals;
        this.housework = housework;
        ScheduledThreadPoolExecutor scheduled = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("hapax-keeper-" + service).factory());
        // Whoever closes a service does not wait for a look that is put off.
        scheduled.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        this.thread = scheduled;
    }

    /**
     * The first look is made at once, so that what starts after this knows what is paused. It is seen to at once as well that today's partitions are there and known: who doesn't know his needs a
     * second connection of the pool, and has one in hand. Who opens a service must not wait for more.
     */
    void start() {
        step(false);
        housework.prepare();
        again();
    }

    private void again() {
        long pause = signals.isHeard() ? LOOK_FOR_CONSUMERS_MILLIS : LOOK_MILLIS;
        try {
            thread.schedule(
                    () -> {
                        step(true);
                        again();
                    },
                    pause,
                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closing) {
            LOG.debug("background work has ended", closing);
        }
    }

    private void step(boolean beating) {
        try {
            boolean due = !isAsItWas() && look(beating);
            housework.begin(due);
            if (!reachable) {
                LOG.info("the database can be reached again");
            }
            reachable = true;
        } catch (SQLException e) {
            last = null;
            // Once per outage: a line for each try says no more.
            if (reachable && !thread.isShutdown()) {
                LOG.warn("background work failed and is tried again: {}", e.toString());
            }
            reachable = false;
        } catch (RuntimeException | VirtualMachineError | LinkageError e) {
            last = null;
            // Also after a lack of memory: a service that no longer sees its pauses would go on as if nothing were
            // wrong. Any other error is meant to end a thread.
            LOG.error("background work failed and is tried again", e);
        }
    }

    /** A glance, if that is worth it. */
    private boolean isAsItWas() throws SQLException {
        Look before = last;
        long nanos = SystemSource.INSTANCE.nanos();
        if (before == null || changes > 1 || nanos - before.until() >= 0) {
            return false;
        }
        boolean same = connections.autoCommit(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(GLANCE);
                    var watch = connections.deadlines().watch(statement, TIMEOUT_SECONDS)) {
                statement.setString(1, before.snapshot());
                statement.setString(2, before.server());
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    return row.getBoolean(1);
                }
            }
        });
        if (same) {
            drawn.isUnchanged(nanos);
            pauses.isUnchanged(nanos);
        }
        return same;
    }

    /** One look, and what it shows to be due of the history. Returns whether delayed messages are due. */
    private boolean look(boolean beating) throws SQLException {
        Look look = connections.autoCommit(this::ask);
        if (look.verdict() == HistoryGuard.Verdict.REWOUND) {
            history.forget();
            look = connections.autoCommit(connection -> {
                history.record(connection);
                // What is known of the pauses must be from after this.
                return ask(connection);
            });
        }
        changes = last == null || !last.snapshot().equals(look.snapshot()) ? changes + 1 : 0;
        last = look;
        int stirred = drawn.set(look.drawn(), look.nanos());
        if (pauses.set(look.paused(), look.nanos())) {
            stirred = Lanes.ALL;
        }
        if (stirred != Lanes.NONE) {
            signals.stirred(stirred);
        }
        if (beating && look.verdict() == HistoryGuard.Verdict.BEAT_DUE) {
            connections.autoCommit(connection -> {
                history.beat(connection);
                return connection;
            });
        }
        return look.messagesDue();
    }

    /**
     * What a look found.
     *
     * @param nanos when it began
     * @param until as long as no transaction ends, nothing can be due before
     * @param snapshot which transactions it saw
     * @param server when that was started
     */
    private record Look(
            long nanos,
            long until,
            String snapshot,
            String server,
            boolean messagesDue,
            long[] drawn,
            HistoryGuard.Verdict verdict,
            Set<Pauses.Paused> paused) {}

    private Look ask(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(LOOK);
                var watch = connections.deadlines().watch(statement, TIMEOUT_SECONDS)) {
            statement.setLong(1, history.seenNumber());
            statement.setLong(2, history.anchorNumber());
            long nanos = SystemSource.INSTANCE.nanos();
            long before = clock.localMillis();
            try (ResultSet row = statement.executeQuery()) {
                Set<Pauses.Paused> paused = new HashSet<>();
                row.next();
                OffsetDateTime now = row.getObject(1, OffsetDateTime.class);
                clock.observe(now, before, clock.localMillis());
                boolean due = row.getBoolean(2);
                boolean dueSoon = !row.wasNull() && housework.isKept();
                long[] numbers = Lanes.drawn(row, 5);
                String snapshot = row.getString(6);
                String server = row.getString(7);
                HistoryGuard.Verdict verdict = history.judge(row, HISTORY_COLUMN, now);
                do {
                    String kind = row.getString(3);
                    if (kind != null) {
                        paused.add(new Pauses.Paused(kind, row.getString(4)));
                    }
                } while (row.next());
                return new Look(nanos, dueSoon ? nanos : until(nanos), snapshot, server, due, numbers, verdict, paused);
            }
        }
    }

    private long until(long nanos) {
        Duration beat = history.untilBeat();
        return nanos + (beat == null ? LOOK_AT_LEAST_NANOS : Math.min(LOOK_AT_LEAST_NANOS, beat.toNanos()));
    }

    @Override
    public void close() {
        thread.shutdown();
        housework.close();
        try {
            if (!thread.awaitTermination(5, TimeUnit.SECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
        if (thread.isTerminated()) {
            history.close();
        }
    }
}
