package dev.hapax.internal.twophase;

import dev.hapax.internal.DatabaseClock;
import dev.hapax.internal.Days;
import dev.hapax.internal.Partitions;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.once.Settlements;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;

/** All SQL on decisions. Safe for use by many threads. */
final class Decisions {

    private static final String TREE = "two_phase";

    /** An owner that is alive decides in less; one that stands still is asked again at the next look. */
    private static final String WAIT = "SET LOCAL lock_timeout = '50ms'";

    private final Settlements settlements;
    private final Partitions partitions;
    private final DatabaseClock clock;

    Decisions(Settlements settlements, Partitions partitions, DatabaseClock clock) {
        this.settlements = settlements;
        this.partitions = partitions;
        this.clock = clock;
    }

    /** What is known of a try. */
    enum Decision {
        /** The home transaction was committed. */
        COMMIT,
        /** It was not, and can't be any more. */
        ROLL_BACK,
        /** It is open: its owner is about to decide, or stands still. */
        OPEN,
        /** The decision is older than decisions are kept. */
        UNKNOWN
    }

    UUID home() throws SQLException {
        return settlements.connections().autoCommit(connection -> {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT id FROM hapax.home")) {
                if (!row.next()) {
                    throw new SQLException("hapax.home has lost its row", "02000");
                }
                return row.getObject(1, UUID.class);
            }
        });
    }

    /** The day on which a decision of now is written; its partition is there. */
    int today() throws SQLException {
        long day = clock.epochDay();
        if (!partitions.ensure(TREE, day)) {
            throw new SQLException("the database has no place for decisions of " + Days.iso(day), "02000");
        }
        return (int) day;
    }

    /**
     * Writes marker and decision in the home transaction, in one round trip. Both take effect with its commit.
     *
     * @return false if the key was seen; then nothing was written
     */
    boolean mark(Connection connection, Settlements.Marking marking, BranchXid xid) throws SQLException {
        String insert = "INSERT INTO " + table(xid) + " (day, token, scope, producer, committed, key) SELECT "
                + day(xid) + ", ?, ?, ?, true, ? FROM marked";
        try {
            return settlements.mark(connection, marking, insert, (statement, from) -> {
                statement.setObject(from, xid.token());
                statement.setInt(from + 1, xid.scope());
                statement.setInt(from + 2, xid.producer());
                statement.setString(from + 3, marking.marker().key().id());
            });
        } catch (SQLException e) {
            if (SqlFaults.isUndefinedTable(e)) {
                partitions.forget(TREE, xid.day());
            }
            throw e;
        }
    }

    /**
     * Finds the decision, and where there is none makes sure that there never will be: by writing a fence under the token. See {@link TwoPhaseEngine} for why this proves it, and why
     * reading could not.
     */
    Decision decide(BranchXid xid) throws SQLException {
        if (!partitions.ensure(TREE, xid.day())) {
            return Decision.UNKNOWN;
        }
        try {
            return settlements.connections().inTransaction(connection -> fenceOrFind(connection, xid));
        } catch (SQLException e) {
            if (SqlFaults.isWaitedTooLong(e)) {
                return Decision.OPEN;
            }
            if (SqlFaults.isUndefinedTable(e)) {
                // Dropped meanwhile; asked again, the database says that it stays away.
                partitions.forget(TREE, xid.day());
                return Decision.OPEN;
            }
            throw e;
        }
    }

    private static Decision fenceOrFind(Connection connection, BranchXid xid) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(WAIT);
        }
        try (PreparedStatement fence = connection.prepareStatement("INSERT INTO " + table(xid)
                + " (day, token, scope, producer, committed) VALUES (" + day(xid)
                + ", ?, ?, ?, false) ON CONFLICT DO NOTHING")) {
            fence.setObject(1, xid.token());
            fence.setInt(2, xid.scope());
            fence.setInt(3, xid.producer());
            if (fence.executeUpdate() == 1) {
                return Decision.ROLL_BACK;
            }
        }
        try (PreparedStatement select =
                connection.prepareStatement("SELECT committed FROM " + table(xid) + " WHERE token = ?")) {
            select.setObject(1, xid.token());
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    return Decision.OPEN;
                }
                return row.getBoolean(1) ? Decision.COMMIT : Decision.ROLL_BACK;
            }
        }
    }

    private static String table(BranchXid xid) {
        return Partitions.table(TREE, xid.day());
    }

    private static String day(BranchXid xid) {
        return "DATE '" + Days.iso(xid.day()) + "'";
    }
}
