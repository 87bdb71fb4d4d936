package dev.hapax.testkit.proof;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import javax.sql.DataSource;

/** Real connections, kept from run to run as long as none was cut. Safe for use by many threads. */
final class RawConnections implements AutoCloseable {

    private static final int EXIT_LOOKS_MAX = 10_000;

    private final DataSource source;
    private final String session;
    private final Connection watcher;
    private final Deque<Connection> idle = new ConcurrentLinkedDeque<>();
    private final Map<Connection, Integer> backends = new ConcurrentHashMap<>();

    /** @param session what is set on each new connection; empty for nothing */
    RawConnections(DataSource source, String session) throws SQLException {
        this.source = source;
        this.session = session;
        this.watcher = source.getConnection();
    }

    Connection take() throws SQLException {
        Connection known = idle.poll();
        if (known != null) {
            return known;
        }
        Connection fresh = source.getConnection();
        try (Statement statement = fresh.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
            row.next();
            backends.put(fresh, row.getInt(1));
        }
        if (!session.isEmpty()) {
            try (Statement statement = fresh.createStatement()) {
                statement.execute(session);
            }
        }
        return fresh;
    }

    /** Back in the state of a new one, but for what its user has set for the session; such a one must not come back. */
    void giveBack(Connection connection) throws SQLException {
        if (connection.isClosed()) {
            backends.remove(connection);
            return;
        }
        if (!connection.getAutoCommit()) {
            connection.rollback();
            connection.setAutoCommit(true);
        }
        idle.push(connection);
    }

    /** The process that serves it; 0 once it is cut. */
    int backend(Connection connection) {
        return backends.getOrDefault(connection, 0);
    }

    /** Ends it as a client does. */
    void close(Connection connection) throws SQLException {
        backends.remove(connection);
        connection.close();
    }

    /** Closes the socket, and waits until the server has noticed: from then on its transaction is over. */
    void cut(Connection connection) throws SQLException {
        Integer backend = backends.remove(connection);
        connection.abort(Runnable::run);
        if (backend != null) {
            awaitExit(backend);
        }
    }

    private synchronized void awaitExit(int backend) throws SQLException {
        try (PreparedStatement select =
                watcher.prepareStatement("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ?)")) {
            select.setInt(1, backend);
            for (int i = 0; i < EXIT_LOOKS_MAX; i++) {
                try (ResultSet row = select.executeQuery()) {
                    row.next();
                    if (!row.getBoolean(1)) {
                        return;
                    }
                }
            }
        }
        throw new SQLException("the server has not noticed that connection " + backend + " is gone");
    }

    @Override
    public void close() throws SQLException {
        for (Connection connection = idle.poll(); connection != null; connection = idle.poll()) {
            connection.close();
        }
        watcher.close();
    }
}
