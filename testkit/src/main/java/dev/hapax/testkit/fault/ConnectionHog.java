package dev.hapax.testkit.fault;

import dev.hapax.testkit.EmbeddedDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes every connection that a server gives, those reserved for superusers too, and each one that becomes free, until it is closed. Thread-safe.
 */
public final class ConnectionHog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionHog.class);
    private static final String TOO_MANY = "53300";
    private static final int MOST = 2_000;

    private final DataSource source;
    private final List<Connection> taken = new ArrayList<>();
    private final CountDownLatch full = new CountDownLatch(1);
    private final Semaphore stop = new Semaphore(0);
    private final Thread thread;

    private ConnectionHog(DataSource source) {
        this.source = source;
        this.thread = Thread.ofPlatform().daemon().name("hapax-testkit-hog").unstarted(this::run);
    }

    /**
     * Begins; returns when no connection is left.
     *
     * @param server whose
     * @return the hog
     * @throws IllegalStateException if there were still some after a minute
     */
    public static ConnectionHog of(EmbeddedDatabase server) {
        ConnectionHog hog = new ConnectionHog(server.dataSource());
        hog.thread.start();
        try {
            if (!hog.full.await(1, TimeUnit.MINUTES)) {
                hog.close();
                throw new IllegalStateException("the server still gives connections after a minute");
            }
        } catch (InterruptedException interrupted) {
            hog.close();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while connections were taken", interrupted);
        }
        return hog;
    }

    private void run() {
        try {
            do {
                takeWhatThereIs();
            } while (!stop.tryAcquire(2, TimeUnit.MILLISECONDS));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            taken.forEach(ConnectionHog::close);
        }
    }

    private void takeWhatThereIs() {
        try {
            while (taken.size() < MOST && stop.availablePermits() == 0) {
                taken.add(source.getConnection());
            }
        } catch (SQLException refused) {
            if (TOO_MANY.equals(refused.getSQLState())) {
                full.countDown();
            } else {
                LOG.debug("no connection, for another reason than their number", refused);
            }
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (SQLException gone) {
            LOG.debug("a connection that was held had gone", gone);
        }
    }

    /** Gives all of them back. */
    @Override
    public void close() {
        stop.release();
        try {
            if (!thread.join(Duration.ofSeconds(30))) {
                throw new IllegalStateException("the connections could not be given back");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while connections were given back", interrupted);
        }
    }
}
