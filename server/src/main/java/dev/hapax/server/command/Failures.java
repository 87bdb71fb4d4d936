package dev.hapax.server.command;

import dev.hapax.HapaxException;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into a line for the operator and an exit status. */
final class Failures {

    private static final int CAUSES_MAX = 20;

    /** invalid_schema_name, undefined_table, undefined_column, undefined_function. */
    private static final Set<String> NOT_THERE = Set.of("3F000", "42P01", "42703", "42883");

    private static final String NOT_ALLOWED = "42501";

    /** admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections. */
    private static final Set<String> GONE = Set.of("57P01", "57P02", "57P03", "53300");

    private Failures() {}

    /** The command line is wrong. */
    static int misused(ParameterException failure, String[] args) {
        CommandLine command = failure.getCommandLine();
        command.getErr().println("hapax: " + Urls.masked(wordsOf(failure)));
        command.getErr().println("       see " + command.getCommandSpec().qualifiedName() + " --help");
        return Commands.USAGE;
    }

    /** An argument that nobody expected may be a secret: an option is named without its value, and what follows it isn't shown. */
    private static String wordsOf(ParameterException failure) {
        if (failure instanceof UnmatchedArgumentException unmatched) {
            List<String> words = unmatched.getUnmatched();
            for (String word : words) {
                if (word.startsWith("-")) {
                    return "there is no option " + word.replaceFirst("=.*", "") + " here";
                }
            }
        }
        String message = failure.getMessage();
        return message == null ? failure.toString() : message;
    }

    /** The command could not do what it was told. */
    static int failed(Exception failure, CommandLine command, ParseResult parsed) {
        SQLException sql = sqlOf(failure);
        if (sql != null && isUnreachable(sql)) {
            command.getErr().println("hapax: " + Urls.masked(unreachable(sql)));
            return Commands.UNREACHABLE;
        }
        command.getErr().println("hapax: " + Urls.masked(wordsOf(failure, sql)));
        return failure instanceof IllegalArgumentException ? Commands.USAGE : Commands.PROBLEM;
    }

    private static String unreachable(SQLException sql) {
        return sql instanceof Database.NotReached
                ? String.valueOf(sql.getMessage())
                : "the connection to the database was lost; look whether it was done, and run it again: "
                        + sql.getMessage();
    }

    private static String wordsOf(Exception failure, @Nullable SQLException sql) {
        String message = failure.getMessage();
        boolean isSaid = failure instanceof Problem
                || failure instanceof HapaxException
                || failure instanceof IllegalStateException
                || failure instanceof IllegalArgumentException;
        if (isSaid && message != null) {
            return message;
        }
        String state = sql == null || sql.getSQLState() == null ? "" : sql.getSQLState();
        if (NOT_THERE.contains(state)) {
            return "the tables are not there, or of another version; ./hapax schema check says more (" + message + ")";
        }
        if (NOT_ALLOWED.equals(state)) {
            return "the role of this connection may not do that; ./hapax schema grants prints what a role needs ("
                    + message + ")";
        }
        return failure.toString();
    }

    private static boolean isUnreachable(SQLException sql) {
        String state = sql.getSQLState();
        return sql instanceof Database.NotReached || state != null && (state.startsWith("08") || GONE.contains(state));
    }

    private static @Nullable SQLException sqlOf(Throwable failure) {
        @Nullable Throwable cause = failure;
        for (int i = 0; i < CAUSES_MAX && cause != null; i++) {
            if (cause instanceof SQLException sql) {
                return sql;
            }
            cause = cause.getCause();
        }
        return null;
    }
}
