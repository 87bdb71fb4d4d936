package dev.hapax.testkit.proof;

import dev.hapax.testkit.proof.Point.Kind;
import dev.hapax.testkit.proof.Point.Side;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A connection of a simulated process. Used by one thread at a time, as every connection. */
final class CrashConnection implements InvocationHandler {

    private static final Pattern NOTHING_MORE = Pattern.compile("(?!)");
    /** A statement and its commit in one message are two points: the server may die in between. */
    private static final String AND_COMMIT = "; COMMIT";

    private static final SqlText COMMIT = SqlText.of("COMMIT", NOTHING_MORE);

    private final Node node;
    private final Connection raw;
    private boolean closed;
    private boolean dirty;
    private boolean asItWas = true;

    CrashConnection(Node node, Connection raw) {
        this.node = node;
        this.raw = raw;
    }

    /** What a boundary lies around. */
    @FunctionalInterface
    interface Call {
        @Nullable
        Object run() throws SQLException;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] args) throws SQLException {
        switch (method.getName()) {
            case "close":
                if (!closed) {
                    closed = true;
                    node.giveBack(raw, asItWas);
                }
                return null;
            case "isClosed":
                return closed || node.isDead() || raw.isClosed();
            case "hashCode":
                return System.identityHashCode(proxy);
            case "equals":
                return CrashSource.isSame(proxy, args);
            case "toString":
                return "connection of process " + node.number();
            default:
                node.checkAlive();
                if (closed) {
                    throw new SQLException("the connection was closed", "08003");
                }
                return open((Connection) proxy, method, args);
        }
    }

    private @Nullable Object open(Connection proxy, Method method, Object @Nullable [] args) throws SQLException {
        switch (method.getName()) {
            case "commit":
                commit();
                return null;
            case "setAutoCommit":
                if (args != null && Boolean.TRUE.equals(args[0]) && dirty && !raw.getAutoCommit()) {
                    commit();
                }
                return CrashSource.call(raw, method, args);
            case "rollback":
                if (args == null) {
                    node.turn(raw);
                    dirty = false;
                    node.wiring().mutation().rolledBack(raw);
                }
                return CrashSource.call(raw, method, args);
            case "setTransactionIsolation", "setReadOnly", "setSchema", "setHoldability", "setNetworkTimeout":
                asItWas = false;
                return CrashSource.call(raw, method, args);
            case "createStatement":
                return CrashSource.proxy(
                        Statement.class,
                        new CrashStatement(this, proxy, (Statement) result(method, args), null, false));
            case "prepareStatement", "prepareCall":
                return prepare(proxy, method, args);
            default:
                return CrashSource.call(raw, method, args);
        }
    }

    private Object result(Method method, Object @Nullable [] args) throws SQLException {
        Object result = CrashSource.call(raw, method, args);
        if (result == null) {
            throw new SQLException("the driver gave no statement");
        }
        return result;
    }

    private Object prepare(Connection proxy, Method method, Object @Nullable [] args) throws SQLException {
        if (args == null) {
            throw new IllegalArgumentException("nothing to prepare");
        }
        Object[] rewritten = args.clone();
        String sql = node.wiring().mutation().rewrite((String) args[0], node);
        boolean commits = sql.endsWith(AND_COMMIT);
        if (commits) {
            sql = sql.substring(0, sql.length() - AND_COMMIT.length());
        }
        rewritten[0] = sql;
        Class<? extends Statement> type =
                method.getName().equals("prepareCall") ? CallableStatement.class : PreparedStatement.class;
        return CrashSource.proxy(
                type, new CrashStatement(this, proxy, (Statement) result(method, rewritten), sql, commits));
    }

    void commit() throws SQLException {
        node.turn(raw);
        node.wiring().mutation().commit(new Mutation.Commit() {
            @Override
            public Connection raw() {
                return raw;
            }

            @Override
            public void run() throws SQLException {
                commitHere();
            }
        });
    }

    /** Commits, between its points. */
    void commitHere() throws SQLException {
        if (!dirty) {
            raw.commit();
            return;
        }
        boundary(Kind.COMMIT, COMMIT, true, () -> {
            raw.commit();
            return null;
        });
        dirty = false;
    }

    /** Runs a statement that writes, between its points. */
    @Nullable
    Object write(SqlText text, Call call) throws SQLException {
        boolean alone = raw.getAutoCommit();
        Object result = boundary(Kind.STATEMENT, text, alone, call);
        dirty = !alone;
        return result;
    }

    private @Nullable Object boundary(Kind kind, SqlText text, boolean commits, Call call) throws SQLException {
        trip(node.pass(kind, Side.BEFORE, text, commits), kind, Side.BEFORE, text);
        if (node.isRefused()) {
            refuse("53100", kind);
        }
        Object result = call.run();
        trip(node.pass(kind, Side.AFTER, text, commits), kind, Side.AFTER, text);
        return result;
    }

    private void trip(@Nullable Mode mode, Kind kind, Side side, SqlText text) throws SQLException {
        if (mode == null) {
            return;
        }
        node.wiring().disturbance().accept(node, mode);
        switch (mode) {
            case DIES -> throw node.die(kind, side, text.label());
            case FAILS_ONCE -> refuse("40001", kind);
            case FAILS_FOR_GOOD -> {
                node.refuseFromNowOn();
                refuse("53100", kind);
            }
            case LOST_NOT_COMMITTED, LOST_COMMITTED -> {
                node.cut(raw);
                throw new SQLException("the connection was lost " + side + " " + text.label(), "08006");
            }
            case PAUSED -> {
                // The disturbance was all.
            }
        }
    }

    /** Lets the server itself refuse, so that the transaction is as broken as it would be. */
    private void refuse(String state, Kind kind) throws SQLException {
        try (Statement statement = raw.createStatement()) {
            statement.execute(
                    "DO $$ BEGIN RAISE EXCEPTION 'refused on purpose' USING ERRCODE = '" + state + "'; END $$");
        } catch (SQLException e) {
            if (kind == Kind.COMMIT) {
                raw.rollback();
            }
            throw e;
        }
        throw new IllegalStateException("the server did not refuse");
    }

    Node node() {
        return node;
    }

    Connection raw() {
        return raw;
    }

    boolean inTransaction() throws SQLException {
        return !raw.getAutoCommit();
    }
}
