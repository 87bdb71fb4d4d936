package dev.hapax.testkit.proof;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A statement of a simulated process. Used by one thread at a time. */
final class CrashStatement implements InvocationHandler {

    private final CrashConnection connection;
    private final Connection proxyOfConnection;
    private final Statement raw;
    private final @Nullable String prepared;
    private final boolean commits;
    private final List<String> batch = new ArrayList<>();
    private final List<Setting> settings = new ArrayList<>();

    /**
     * @param prepared its text, if it was prepared
     * @param commits whether a commit follows it in the same message
     */
    CrashStatement(
            CrashConnection connection,
            Connection proxyOfConnection,
            Statement raw,
            @Nullable String prepared,
            boolean commits) {
        this.connection = connection;
        this.proxyOfConnection = proxyOfConnection;
        this.raw = raw;
        this.prepared = prepared;
        this.commits = commits;
    }

    /** A parameter that was set. */
    private record Setting(Method method, Object @Nullable [] args) {}

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] args) throws SQLException {
        String name = method.getName();
        if (name.equals("hashCode")) {
            return System.identityHashCode(proxy);
        }
        if (name.equals("equals")) {
            return CrashSource.isSame(proxy, args);
        }
        if (name.equals("close") || name.equals("isClosed") || name.equals("toString")) {
            return CrashSource.call(raw, method, args);
        }
        connection.node().checkAlive();
        if (name.startsWith("execute")) {
            Object result = execute(method, args);
            if (commits) {
                connection.commit();
            }
            return result;
        }
        if (name.equals("getConnection")) {
            return proxyOfConnection;
        }
        if (name.equals("addBatch") && args != null) {
            batch.add((String) args[0]);
        } else if (name.equals("clearBatch")) {
            batch.clear();
        } else if (prepared != null && (name.startsWith("set") || name.equals("clearParameters"))) {
            settings.add(new Setting(method, args == null ? null : args.clone()));
        }
        return CrashSource.call(raw, method, args);
    }

    private @Nullable Object execute(Method method, Object @Nullable [] args) throws SQLException {
        Mutation mutation = connection.node().wiring().mutation();
        Object[] given = args;
        String sql;
        if (args != null && args.length > 0 && args[0] instanceof String text) {
            sql = mutation.rewrite(text, connection.node());
            given = args.clone();
            given[0] = sql;
        } else if (prepared != null) {
            sql = prepared;
        } else {
            sql = batch.stream().collect(Collectors.joining("; "));
        }
        connection.node().turn(connection.raw());
        SqlText text = SqlText.of(sql, connection.node().wiring().alsoWrites());
        if (!text.writes()) {
            return CrashSource.call(raw, method, given);
        }
        return mutation.execute(new Execution(sql, text, method, given));
    }

    /** A statement that is about to be run. */
    private final class Execution implements Mutation.Statement {

        private final String sql;
        private final SqlText text;
        private final Method method;
        private final Object @Nullable [] args;

        private Execution(String sql, SqlText text, Method method, Object @Nullable [] args) {
            this.sql = sql;
            this.text = text;
            this.method = method;
            this.args = args;
        }

        @Override
        public String sql() {
            return sql;
        }

        @Override
        public boolean inTransaction() {
            try {
                return connection.inTransaction();
            } catch (SQLException e) {
                return false;
            }
        }

        @Override
        public @Nullable Object run() throws SQLException {
            return connection.write(text, () -> CrashSource.call(raw, method, args));
        }

        @Override
        public void commit() throws SQLException {
            connection.commitHere();
        }

        @Override
        public Connection raw() {
            return connection.raw();
        }

        @Override
        public Mutation.Repeat later() throws SQLException {
            PreparedStatement again = connection.raw().prepareStatement(sql);
            for (Setting setting : settings) {
                CrashSource.call(again, setting.method(), setting.args());
            }
            return () -> {
                try (again) {
                    return connection.write(text, again::execute);
                }
            };
        }
    }
}
