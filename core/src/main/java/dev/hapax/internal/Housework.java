package dev.hapax.internal;

import java.sql.SQLException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps house on a thread of its own, which comes when there is something to do and goes when there isn't: thousands of messages that fall due at once, or a day that can't be dropped yet, must
 * not keep the keeper from seeing what is paused. Where a service leaves the house to others, it only looks now and then at what they have made. Used by the keeper's thread, and closed by any.
 */
final class Housework implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Housework.class);
    private static final long PARTITIONS_NANOS = TimeUnit.MINUTES.toNanos(10);
    private static final long IDLE_SECONDS = 10;
    private static final long CLOSE_SECONDS = 5;

    private final Housekeeper housekeeper;
    private final boolean kept;
    private final ThreadPoolExecutor thread;
    private final AtomicBoolean busy = new AtomicBoolean();
    private long partitionsNanos;
    private volatile boolean failing;

    /** @param kept false: others keep the house */
    Housework(String service, Housekeeper housekeeper, boolean kept) {
        this.housekeeper = housekeeper;
        this.kept = kept;
        // What is to be dropped is dropped at once; what others have made, prepare() has looked at.
        this.partitionsNanos = SystemSource.INSTANCE.nanos() - (kept ? PARTITIONS_NANOS : 0);
        this.thread = new ThreadPoolExecutor(
                1,
                1,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(1),
                Thread.ofPlatform()
                        .daemon()
                        .name("hapax-housekeeper-" + service)
                        .factory());
        thread.allowCoreThreadTimeOut(true);
    }

    boolean isKept() {
        return kept;
    }

    /** Creates what is needed soon, or learns that it is there. If that fails, whoever needs it creates it. */
    void prepare() {
        try {
            if (kept) {
                housekeeper.createPartitions();
            } else {
                housekeeper.lookAtPartitions();
            }
        } catch (SQLException e) {
            failed(e);
        }
    }

    /** Begins what is to be done, if nothing is being done; never waits. What could not begin is told of again by the next look. */
    void begin(boolean due) {
        boolean messagesDue = due && kept;
        boolean partitionsDue = SystemSource.INSTANCE.nanos() - partitionsNanos >= PARTITIONS_NANOS;
        if ((messagesDue || partitionsDue) && busy.compareAndSet(false, true)) {
            if (partitionsDue) {
                partitionsNanos = SystemSource.INSTANCE.nanos();
            }
            try {
                thread.execute(() -> work(messagesDue, partitionsDue));
            } catch (RejectedExecutionException closing) {
                LOG.debug("background work has ended", closing);
            }
        }
    }

    private void work(boolean messagesDue, boolean partitionsDue) {
        try {
            if (messagesDue) {
                housekeeper.moveDue(() -> !thread.isShutdown());
            }
            if (partitionsDue && !thread.isShutdown()) {
                if (kept) {
                    housekeeper.keepPartitions();
                } else {
                    housekeeper.lookAtPartitions();
                }
            }
            failing = false;
        } catch (SQLException e) {
            failed(e);
        } catch (RuntimeException | Error e) {
            LOG.error("housekeeping failed and is tried again", e);
        } finally {
            busy.set(false);
        }
    }

    /** Once per outage: a line for each try says no more. */
    private void failed(SQLException e) {
        if (!failing && !thread.isShutdown()) {
            LOG.warn("housekeeping failed and is tried again: {}", e.toString());
        }
        failing = true;
    }

    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
