package dev.hapax.testkit.fault;

import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A transaction that somebody has left open: it has a snapshot and an xid, holds back every vacuum, and does nothing. Used by one thread.
 */
public final class OpenTransaction implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OpenTransaction.class);

    private final Connection connection;

    private OpenTransaction(Connection connection) {
        this.connection = connection;
    }

    /**
     * Opens it; the server's limit for such transactions doesn't concern it.
     *
     * @param database where
     * @return the transaction
     * @throws SQLException if it can't be opened
     */
    public static OpenTransaction on(TestDatabase database) throws SQLException {
        Connection connection = database.dataSource().getConnection();
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET idle_in_transaction_session_timeout = 0");
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            statement.execute("SELECT pg_current_xact_id()");
            return new OpenTransaction(connection);
        } catch (SQLException failure) {
            connection.close();
            throw failure;
        }
    }

    /** Rolls it back, if its server still has it. */
    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException gone) {
            LOG.debug("the open transaction had gone before", gone);
        }
    }
}
