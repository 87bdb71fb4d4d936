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
 * not keep the keeper from seeing what is paused. Used by the keeper's thread, and closed by any.
 */
final class Housework implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Housework.class);
    private static final long PARTITIONS_NANOS = TimeUnit.MINUTES.toNanos(10);
    private static final long IDLE_SECONDS = 10;
    private static final long CLOSE_SECONDS = 5;

    private final Housekeeper housekeeper;
    private final ThreadPoolExecutor thread;
    private final AtomicBoolean busy = new AtomicBoolean();
    private long partitionsNanos = SystemSource.INSTANCE.nanos() - PARTITIONS_NANOS;
    private volatile boolean failing;

    Housework(String service, Housekeeper housekeeper) {
        this.housekeeper = housekeeper;
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

    /** Creates what is needed soon. If that fails, whoever needs it creates it. */
    void prepare() {
        try {
            housekeeper.createPartitions();
        } catch (SQLException e) {
            failed(e);
        }
    }

    /** Begins what is to be done, if nothing is being done; never waits. What could not begin is told of again by the next look. */
    void begin(boolean messagesDue) {
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
                housekeeper.keepPartitions();
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
