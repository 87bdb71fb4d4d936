package dev.hapax.testkit.proof;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * Makes a program wrong from outside, in what it says to its database: by other SQL, or by commits elsewhere. Stateless, or of one run.
 *
 * <p>What it does stands for a wrong implementation, so it is between the program and the points: they are numbered as the wrong implementation would pass them.
 */
interface Mutation {

    /** Changes nothing. */
    Mutation NONE = new Mutation() {};

    /** A statement, before it is prepared. */
    default String rewrite(String sql, Node node) {
        return sql;
    }

    /** Runs a statement that writes, in the connection's transaction or outside one. */
    default Object execute(Statement statement) throws SQLException {
        return statement.run();
    }

    /** Runs a commit. */
    default void commit(Commit commit) throws SQLException {
        commit.run();
    }

    /** Forgets what it keeps of a transaction. */
    default void rolledBack(Connection raw) {}

    /** A statement that is about to be run. */
    interface Statement {

        String sql();

        /** Whether a transaction is open around it. */
        boolean inTransaction();

        /** Passes its points, and runs it. */
        Object run() throws SQLException;

        /** Passes the points of a commit, and commits. */
        void commit() throws SQLException;

        /** The connection underneath; what is done on it passes no points. */
        Connection raw();

        /** The same statement, with its parameters of now, to be run later. */
        Repeat later() throws SQLException;
    }

    /** A statement that was put off. */
    interface Repeat {

        /** Passes its points, and runs it. */
        Object run() throws SQLException;
    }

    /** A commit that is about to be run. */
    interface Commit {

        Connection raw();

        /** Passes its points, and commits. May be called again after more was done. */
        void run() throws SQLException;
    }
}
