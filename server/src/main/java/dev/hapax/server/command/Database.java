package dev.hapax.server.command;

import dev.hapax.Hapax;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The service's database. A command lives for a moment, so there is no pool: each look has a connection of its own. */
final class Database {

    private static final String NAME = "hapax-operator";

    private final DataSource source;

    Database(DataSource source, String shownUrl) {
        this.source = new Reaching(source, shownUrl);
    }

    /** A look at the database. */
    @FunctionalInterface
    interface Look<T> {
        T at(Connection connection) throws SQLException;
    }

    <T> T look(Look<T> look) throws SQLException {
        try (Connection connection = source.getConnection()) {
            return look.at(connection);
        }
    }

    /** The service's own calls, for what changes something. It keeps no house unasked. */
    Hapax open() {
        return Hapax.on(source).name(NAME).housekeeping(false).open();
    }

    DataSource source() {
        return source;
    }

    /** No connection could be had, whatever the reason. */
    static final class NotReached extends SQLException {

        private static final long serialVersionUID = 1L;

        NotReached(String shownUrl, SQLException cause) {
            super("can't reach " + shownUrl + ": " + cause.getMessage(), "08001", cause);
        }
    }

    /** Tells a connection that can't be had apart from everything else, and says which. */
    private record Reaching(DataSource source, String shownUrl) implements DataSource {

        @Override
        public Connection getConnection() throws SQLException {
            try {
                return source.getConnection();
            } catch (SQLException e) {
                throw new NotReached(shownUrl, e);
            }
        }

        @Override
        public Connection getConnection(String username, String password) throws SQLException {
            throw new SQLFeatureNotSupportedException("the role is given by the options");
        }

        @Override
        public @Nullable PrintWriter getLogWriter() throws SQLException {
            return source.getLogWriter();
        }

        @Override
        public void setLogWriter(@Nullable PrintWriter out) throws SQLException {
            source.setLogWriter(out);
        }

        @Override
        public void setLoginTimeout(int seconds) throws SQLException {
            source.setLoginTimeout(seconds);
        }

        @Override
        public int getLoginTimeout() throws SQLException {
            return source.getLoginTimeout();
        }

        @Override
        public Logger getParentLogger() throws SQLFeatureNotSupportedException {
            return source.getParentLogger();
        }

        @Override
        public <T> T unwrap(Class<T> type) throws SQLException {
            return source.unwrap(type);
        }

        @Override
        public boolean isWrapperFor(Class<?> type) throws SQLException {
            return source.isWrapperFor(type);
        }
    }
}
