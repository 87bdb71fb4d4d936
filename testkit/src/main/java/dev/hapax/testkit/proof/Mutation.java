package dev.hapax.testkit.proof;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Makes a program wrong from outside, in what it says to its database: by other SQL, or by commits elsewhere. It stands for a wrong implementation, so points are numbered as that one would
 * pass them. An invariant that catches no mutant proves nothing.
 *
 * <p>One object serves all runs of a scenario, by several threads: what it keeps, it keeps by connection.
 */
public interface Mutation {

    /** Changes nothing. */
    Mutation NONE = new Mutation() {};

    /**
     * A statement, before it is prepared.
     *
     * @param sql its text
     * @param node the process that prepares it
     * @return the text that is prepared instead
     */
    default String rewrite(String sql, Node node) {
        return sql;
    }

    /**
     * Runs a statement that writes, in the connection's transaction or outside one.
     *
     * @return what the statement's method of JDBC returns
     * @throws SQLException what the statement throws
     */
    default @Nullable Object execute(Statement statement) throws SQLException {
        return statement.run();
    }

    /**
     * Runs a commit.
     *
     * @throws SQLException what the commit throws
     */
    default void commit(Commit commit) throws SQLException {
        commit.run();
    }

    /** Forgets what it keeps of a transaction. */
    default void rolledBack(Connection raw) {
        // Nothing is kept.
    }

    /** A statement that is about to be run. */
    interface Statement {

        /** {@return its text} */
        String sql();

        /** {@return whether a transaction is open around it} */
        boolean inTransaction();

        /** Passes its points, and runs it. */
        @Nullable
        Object run() throws SQLException;

        /** Passes the points of a commit, and commits. */
        void commit() throws SQLException;

        /** {@return the connection underneath; what is done on it passes no points} */
        Connection raw();

        /** {@return the same statement, with its parameters of now, to be run later} */
        Repeat later() throws SQLException;
    }

    /** A statement that was put off. */
    interface Repeat {

        /** Passes its points, and runs it. */
        @Nullable
        Object run() throws SQLException;
    }

    /** A commit that is about to be run. */
    interface Commit {

        /** {@return the connection underneath} */
        Connection raw();

        /** Passes its points, and commits. May be called again after more was done. */
        void run() throws SQLException;
    }
}
