package dev.hapax.internal;

import dev.hapax.RetryException;
import dev.hapax.StoreException;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Sorts what the database says by what to do next. By SQLState, never by the words of a message. */
public final class SqlFaults {

    public static final String SERIALIZATION_FAILURE = "40001";

    private static final Set<String> ROLLED_BACK = Set.of(SERIALIZATION_FAILURE, "40P01"); // deadlock_detected

    private static final Set<String> UNREACHABLE = Set.of(
            "57P01", // admin_shutdown
            "57P02", // crash_shutdown
            "57P03", // cannot_connect_now
            "53300"); // too_many_connections

    private static final Set<String> WAITED_TOO_LONG = Set.of(
            "57014", // query_canceled: the statement's time-out
            "55P03"); // lock_not_available

    private static final int CAUSES_MAX = 20;

    private SqlFaults() {}

    /** The first SQLException among the causes, since frameworks wrap it. */
    public static @Nullable SQLException find(Throwable failure) {
        @Nullable Throwable cause = failure;
        for (int i = 0; i < CAUSES_MAX && cause != null; i++) {
            if (cause instanceof SQLException sql) {
                return sql;
            }
            cause = cause.getCause();
        }
        return null;
    }

    /** The transaction was rolled back by the database because of others; doing it again is right. */
    public static boolean isRolledBack(SQLException e) {
        return ROLLED_BACK.contains(state(e));
    }

    /** The connection is gone, or none could be had. During a commit, nobody knows how it ended. */
    public static boolean isUnreachable(SQLException e) {
        String state = state(e);
        return state.startsWith("08")
                || UNREACHABLE.contains(state)
                || e instanceof java.sql.SQLTransientConnectionException;
    }

    /** read_only_sql_transaction: after a failover a pool may stay on what is a standby now, until its connections are replaced. */
    public static boolean isReadOnly(SQLException e) {
        return "25006".equals(state(e));
    }

    /** Doing the whole transaction again may help. */
    public static boolean isRetryable(SQLException e) {
        return isRolledBack(e) || isUnreachable(e) || isReadOnly(e);
    }

    /**
     * The database as a whole is not well, or is not one that takes writes: it is not the fault of the statement or of what it was for, and passes, by itself or by an operator's hand.
     */
    public static boolean isOutage(SQLException e) {
        String state = state(e);
        // Insufficient resources (a full disk, no memory), system errors (I/O).
        return isUnreachable(e) || isReadOnly(e) || state.startsWith("53") || state.startsWith("58");
    }

    /** What a caller is told of a failure in work that has no key: to try again, or that the database refused it. */
    public static RuntimeException translate(String what, SQLException e) {
        String message = what + " (SQLState " + e.getSQLState() + "): " + e.getMessage();
        return isRetryable(e) ? new RetryException(message, e) : new StoreException(message, e);
    }

    public static boolean isWaitedTooLong(SQLException e) {
        return WAITED_TOO_LONG.contains(state(e));
    }

    public static boolean isUniqueViolation(SQLException e) {
        return "23505".equals(state(e));
    }

    /** undefined_table: a partition that was known has been dropped. */
    public static boolean isUndefinedTable(SQLException e) {
        return "42P01".equals(state(e));
    }

    /** invalid_schema_name, undefined_table, undefined_function, insufficient_privilege: the schema isn't there, or not for us. */
    public static boolean isSchemaMissing(SQLException e) {
        return Set.of("3F000", "42P01", "42883", "42501").contains(state(e));
    }

    private static String state(SQLException e) {
        String state = e.getSQLState();
        return state == null ? "" : state;
    }
}
