package dev.hapax.internal.twophase;

import dev.hapax.internal.SqlFaults;
import java.sql.SQLException;
import javax.transaction.xa.XAException;
import org.jspecify.annotations.Nullable;

/** Sorts what a resource says by what to do next. */
final class XaFaults {

    private static final String PREPARED_TRANSACTIONS_DISABLED = "55000";
    private static final String UNDEFINED_OBJECT = "42704";
    private static final String NOT_REACHED = "08006";
    private static final String ROLLED_BACK = "40001";
    private static final String OTHER = "58000";

    private XaFaults() {}

    /** What a resource did on its own; null if it did nothing. */
    static @Nullable String heuristic(XAException e) {
        return switch (e.errorCode) {
            case XAException.XA_HEURCOM -> "COMMITTED";
            case XAException.XA_HEURRB -> "ROLLED_BACK";
            case XAException.XA_HEURMIX -> "MIXED";
            case XAException.XA_HEURHAZ -> "HAZARD";
            default -> null;
        };
    }

    /** The resource knows no such branch: somebody has ended it. */
    static boolean isGone(XAException e) {
        // PostgreSQL's driver takes it for an error where the session itself has prepared the branch.
        SQLException cause = SqlFaults.find(e);
        return e.errorCode == XAException.XAER_NOTA || cause != null && UNDEFINED_OBJECT.equals(cause.getSQLState());
    }

    /** It has rolled the branch back, though it was to be committed. */
    static boolean isRolledBack(XAException e) {
        return e.errorCode >= XAException.XA_RBBASE && e.errorCode <= XAException.XA_RBEND;
    }

    static boolean isPrepareDisabled(Throwable e) {
        SQLException cause = SqlFaults.find(e);
        return cause != null && PREPARED_TRANSACTIONS_DISABLED.equals(cause.getSQLState());
    }

    static String disabled(String participant) {
        return "participant " + participant + " has prepared transactions switched off: set max_prepared_transactions"
                + " there to at least its max_connections (postgresql.conf) and restart it";
    }

    /** The same as an error of a database, so that whatever decides on trying again decides for branches too. */
    static SQLException asSql(String participant, Exception e) {
        String words = "branch " + participant + ": " + describe(e);
        SQLException cause = SqlFaults.find(e);
        if (cause != null && cause.getSQLState() != null) {
            return new SQLException(
                    isPrepareDisabled(e) ? disabled(participant) : words + " (" + cause.getMessage() + ")",
                    cause.getSQLState(),
                    e);
        }
        if (e instanceof XAException xa) {
            String state =
                    xa.errorCode == XAException.XAER_RMFAIL ? NOT_REACHED : isRolledBack(xa) ? ROLLED_BACK : OTHER;
            return new SQLException(words, state, e);
        }
        return new SQLException(words, NOT_REACHED, e);
    }

    static String describe(Exception e) {
        if (!(e instanceof XAException xa)) {
            return e.toString();
        }
        String said = xa.getMessage() == null || xa.getMessage().isBlank() ? "" : ": " + xa.getMessage();
        return "XA error " + xa.errorCode + said;
    }
}
