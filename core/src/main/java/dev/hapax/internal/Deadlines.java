package dev.hapax.internal;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cancels statements that run past their time: late by a quarter of a second at most, never early.
 *
 * <p>JDBC's own {@code setQueryTimeout} does the same, but the driver sets a timer for each execution, which wakes its timer thread and takes a lock that
 * all connections share; on the way of a marker, which almost never waits, that costs more than all else that Hapax does. Here a statement costs one
 * entry in a set, which a thread looks through now and then.
 *
 * <p>Safe for use by many threads.
 */
public final class Deadlines implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Deadlines.class);
    private static final long LOOK_MILLIS = 250;

    /** Where nothing runs, it looks as often as the shortest time asks for: what begins after a look has not run past it at the next. */
    private static final long LOOK_IDLE_MILLIS = 1_000;

    private final Set<Watch> running = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService thread;

    public Deadlines(String service) {
        thread = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("hapax-deadlines-" + service).factory());
        again();
    }

    private void again() {
        try {
            thread.schedule(
                    () -> {
                        look();
                        again();
                    },
                    running.isEmpty() ? LOOK_IDLE_MILLIS : LOOK_MILLIS,
                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closing) {
            LOG.debug("deadlines are no longer watched", closing);
        }
    }

    /**
     * Watches a statement that is about to be executed, until the answer is closed.
     *
     * @param seconds at least 1
     */
    public Watch watch(Statement statement, int seconds) {
        Watch watch = new Watch(this, statement, SystemSource.INSTANCE.nanos() + TimeUnit.SECONDS.toNanos(seconds));
        running.add(watch);
        return watch;
    }

    private void look() {
        long now = SystemSource.INSTANCE.nanos();
        for (Watch watch : running) {
            if (now - watch.deadline >= 0) {
                cancel(watch.statement);
            }
        }
    }

    /** Does nothing to a statement that has ended meanwhile. One that is not stopped by this is tried again at the next look. */
    private static void cancel(Statement statement) {
        try {
            statement.cancel();
        } catch (SQLException | RuntimeException e) {
            LOG.debug("a statement past its time could not be cancelled; it is tried again", e);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }

    /** One execution. */
    public static final class Watch implements AutoCloseable {

        private final Deadlines home;
        private final Statement statement;
        private final long deadline;

        private Watch(Deadlines home, Statement statement, long deadline) {
            this.home = home;
            this.statement = statement;
            this.deadline = deadline;
        }

        @Override
        public void close() {
            home.running.remove(this);
        }
    }
}
