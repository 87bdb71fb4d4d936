package dev.hapax.internal;

import dev.hapax.spi.Metrics;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Borrows connections of the service's own pool, and measures the wait. Safe for use by many threads. */
public final class Connections {

    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    private final DataSource dataSource;
    private final Metrics metrics;
    private final Deadlines deadlines;

    public Connections(DataSource dataSource, Metrics metrics, Deadlines deadlines) {
        this.dataSource = dataSource;
        this.metrics = metrics;
        this.deadlines = deadlines;
    }

    /** What bounds statements that may wait for others. */
    public Deadlines deadlines() {
        return deadlines;
    }

    /** What is done with a connection. */
    @FunctionalInterface
    public interface Work<T> {
        T apply(Connection connection) throws SQLException;
    }

    public Connection borrow() throws SQLException {
        long since = SystemSource.INSTANCE.nanos();
        Connection connection = dataSource.getConnection();
        metrics.poolWaitNanos(SystemSource.INSTANCE.nanos() - since);
        return connection;
    }

    /** Runs one statement or more, each committed by itself. */
    public <T> T autoCommit(Work<T> work) throws SQLException {
        try (Connection connection = borrow()) {
            boolean before = connection.getAutoCommit();
            if (!before) {
                connection.setAutoCommit(true);
            }
            try {
                return work.apply(connection);
            } finally {
                if (!before && !connection.isClosed()) {
                    connection.setAutoCommit(false);
                }
            }
        }
    }

    /** Runs the work in one transaction. */
    public <T> T inTransaction(Work<T> work) throws SQLException {
        try (Connection connection = borrow()) {
            boolean before = begin(connection);
            try {
                T result = work.apply(connection);
                connection.commit();
                return result;
            } catch (Throwable failure) {
                rollback(connection, failure);
                throw failure;
            } finally {
                end(connection, before);
            }
        }
    }

    /** Opens a transaction; costs no round trip. Returns what {@link #end} wants back. */
    public static boolean begin(Connection connection) throws SQLException {
        boolean before = connection.getAutoCommit();
        if (before) {
            connection.setAutoCommit(false);
        }
        return before;
    }

    /** Gives the connection back its auto-commit. A connection that is gone stays as it is: the pool throws it away. */
    public static void end(Connection connection, boolean autoCommitBefore) {
        try {
            if (autoCommitBefore && !connection.isClosed()) {
                connection.setAutoCommit(true);
            }
        } catch (SQLException e) {
            LOG.debug("a connection could not be given back its auto-commit", e);
        }
    }

    /** Rolls back after a failure; a failure of the rollback itself is added to it. */
    public static void rollback(Connection connection, Throwable failure) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            failure.addSuppressed(e);
        }
    }
}
