package dev.hapax.internal;

import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one background thread of an opened service. It asks the database, in one statement, what is paused, what time it is, whether its history goes on, whether delayed messages are due, and whether
 * numbers of the log were drawn; now and then it keeps house. Consumers that have nothing to do leave the looking to it, however many they are.
 */
final class Keeper implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Keeper.class);
    private static final long LOOK_MILLIS = 250;
    private static final long LOOK_FOR_CONSUMERS_MILLIS = 100;
    private static final long HOUSEKEEPING_NANOS = TimeUnit.MINUTES.toNanos(10);
    private static final int HISTORY_COLUMN = 6;
    private static final String LOOK = "SELECT " + DatabaseClock.NOW
            + ", EXISTS (SELECT FROM hapax.delayed WHERE due_at <= clock_timestamp()), p.kind, p.name, " + Lanes.DRAWN
            + ", " + HistoryGuard.COLUMNS + " FROM (VALUES (1)) one" + HistoryGuard.JOINS
            + " LEFT JOIN hapax.paused p ON true";

    private final Connections connections;
    private final DatabaseClock clock;
    private final Pauses pauses;
    private final HistoryGuard history;
    private final Signals signals;
    private final Housekeeper housekeeper;
    private final boolean housekeeping;
    private final ScheduledExecutorService thread;
    private long housekeptNanos = SystemSource.INSTANCE.nanos() - HOUSEKEEPING_NANOS;
    private boolean reachable = true;
    private long drawn;

    Keeper(
            String service,
            Connections connections,
            DatabaseClock clock,
            Pauses pauses,
            HistoryGuard history,
            Signals signals,
            Housekeeper housekeeper,
            boolean housekeeping) {
        this.connections = connections;
        this.clock = clock;
        this.pauses = pauses;
        this.history = history;
        this.signals = signals;
        this.housekeeper = housekeeper;
        this.housekeeping = housekeeping;
        ScheduledThreadPoolExecutor scheduled = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("hapax-keeper-" + service).factory());
        // Whoever closes a service does not wait for a look that is put off.
        scheduled.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        this.thread = scheduled;
    }

    /** The first look is made at once, so that what starts after this knows what is paused. It only looks: who opens a service must not wait for more. */
    void start() {
        step(false);
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
            boolean due = look(beating);
            if (housekeeping && due) {
                housekeeper.moveDue();
            }
            if (housekeeping && SystemSource.INSTANCE.nanos() - housekeptNanos >= HOUSEKEEPING_NANOS) {
                housekeptNanos = SystemSource.INSTANCE.nanos();
                housekeeper.keepPartitions();
            }
            if (!reachable) {
                LOG.info("the database can be reached again");
            }
            reachable = true;
        } catch (SQLException e) {
            // Once per outage: a line for each try says no more.
            if (reachable && !thread.isShutdown()) {
                LOG.warn("background work failed and is tried again: {}", e.toString());
            }
            reachable = false;
        } catch (RuntimeException e) {
            LOG.error("background work failed", e);
        }
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
        if (pauses.set(look.paused(), look.nanos()) || look.drawn() != drawn) {
            drawn = look.drawn();
            signals.stirred();
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
     * @param drawn a number that grows with each message that is published
     */
    private record Look(
            long nanos, boolean messagesDue, long drawn, HistoryGuard.Verdict verdict, Set<Pauses.Paused> paused) {}

    private Look ask(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(LOOK)) {
            statement.setQueryTimeout(5);
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
                long numbers = row.getLong(5);
                HistoryGuard.Verdict verdict = history.judge(row, HISTORY_COLUMN, now);
                do {
                    String kind = row.getString(3);
                    if (kind != null) {
                        paused.add(new Pauses.Paused(kind, row.getString(4)));
                    }
                } while (row.next());
                return new Look(nanos, due, numbers, verdict, paused);
            }
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
        if (thread.isTerminated()) {
            history.close();
        }
    }
}
