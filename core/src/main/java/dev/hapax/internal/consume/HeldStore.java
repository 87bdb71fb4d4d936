package dev.hapax.internal.consume;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All SQL of a consumer on held messages. Rows of a lane are inserted and promoted while its position's row is locked, by the owner of the lane or by an operator, so that
 * none is left waiting behind a message that has just gone.
 */
abstract class HeldStore {

    private static final int REASON_MAX = 4_000;

    /** Larger ones are read when they are handled. */
    private static final String INLINE_BODY =
            "CASE WHEN octet_length(body) <= " + LogReader.INLINE_BYTES + " THEN body END";

    final String consumer;
    private final String begin;

    /** @param owned the condition under which a lane is still ours: its parameters are consumer, lane and token */
    HeldStore(String consumer, String owned) {
        this.consumer = consumer;
        this.begin =
                "UPDATE hapax.held SET attempts = attempts + 1, next_at = clock_timestamp() + make_interval(secs => ?)"
                        + " WHERE id = ? AND state = 'RETRY' AND EXISTS (" + owned + ")";
    }

    /**
     * A held message that is due.
     *
     * @param attempts tries so far
     */
    record Due(long id, ReadMessage message, int attempts) {}

    /** How a try ended that did not go well. */
    record Failure(int attempts, long waitMillis, boolean isLast, String reason) {}

    /** The message keys of these lanes that have held messages. */
    List<String> keys(Connection connection, Collection<Integer> lanes) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT DISTINCT message_key FROM hapax.held WHERE consumer = ? AND lane = ANY (CAST(? AS int[]))")) {
            select.setString(1, consumer);
            select.setArray(2, connection.createArrayOf("int4", lanes.toArray()));
            List<String> keys = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    keys.add(row.getString(1));
                }
            }
            return keys;
        }
    }

    long count(Connection connection) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT count(*) FROM hapax.held WHERE consumer = ?")) {
            select.setString(1, consumer);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    /** Holds a message that has failed its first try. */
    abstract void insertFailed(Connection connection, ReadMessage message, Failure failure) throws SQLException;

    /** Holds messages, to wait behind what is held of their keys; the first of a key that has nothing (any more) is due at once. */
    abstract void insertWaiting(Connection connection, List<ReadMessage> messages, boolean inOrder) throws SQLException;

    /** What is read of a held message, in the order in which {@link #message} expects it. */
    String columns(String body) {
        return StoredMessage.COLUMNS + ", message_id, " + body;
    }

    /** Reads {@link #columns}, from the first column on. */
    ReadMessage message(ResultSet row, int attempt) throws SQLException {
        return StoredMessage.read(row, attempt);
    }

    static void bindFailure(PreparedStatement insert, String consumer, Failure failure) throws SQLException {
        insert.setString(1, consumer);
        insert.setString(2, failure.isLast() ? "QUARANTINED" : "RETRY");
        insert.setInt(3, failure.attempts());
        insert.setDouble(4, failure.waitMillis() / 1000.0);
        insert.setString(5, clean(failure.reason()));
    }

    /** Those whose next try is due, oldest first. */
    List<Due> due(Connection connection, Collection<Integer> lanes, int limit) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT " + columns(INLINE_BODY) + ", id, attempts FROM hapax.held"
                        + " WHERE consumer = ? AND lane = ANY (CAST(? AS int[])) AND state = 'RETRY' AND next_at <= statement_timestamp() ORDER BY lane, number LIMIT ?")) {
            select.setString(1, consumer);
            select.setArray(2, connection.createArrayOf("int4", lanes.toArray()));
            select.setInt(3, limit);
            return read(select);
        }
    }

    @Nullable
    Due find(Connection connection, long id) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT " + columns("body") + ", id, attempts FROM hapax.held WHERE id = ?")) {
            select.setLong(1, id);
            List<Due> found = read(select);
            return found.isEmpty() ? null : found.getFirst();
        }
    }

    byte[] body(Connection connection, Due due) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT body FROM hapax.held WHERE id = ?")) {
            select.setLong(1, due.id());
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    throw new SQLException("held message " + due.message() + " has gone before it was handled");
                }
                return row.getBytes(1);
            }
        }
    }

    private List<Due> read(PreparedStatement select) throws SQLException {
        List<Due> due = new ArrayList<>();
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) {
                int attempts = row.getInt("attempts");
                due.add(new Due(row.getLong("id"), message(row, attempts + 1), attempts));
            }
        }
        return due;
    }

    /**
     * Counts a try before it is made, so that a message that kills its reader is counted as well.
     *
     * @return false if it isn't ours to try (any more)
     */
    boolean begin(Connection connection, Due due, Share share, long waitMillis) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(begin)) {
            update.setDouble(1, waitMillis / 1000.0);
            update.setLong(2, due.id());
            update.setString(3, consumer);
            update.setInt(4, due.message().heldLane());
            update.setLong(5, share.token);
            return update.executeUpdate() == 1;
        }
    }

    /** A try that was begun does not count. */
    void takeBack(Connection connection, Due due) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.held SET attempts = attempts - 1 WHERE id = ? AND state = 'RETRY' AND attempts = ?")) {
            update.setLong(1, due.id());
            update.setInt(2, due.attempts() + 1);
            update.executeUpdate();
        }
    }

    /** Notes that a try has failed. */
    void failed(Connection connection, Due due, Failure failure) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.held SET state = ?, next_at = clock_timestamp() + make_interval(secs => ?), reason = ? WHERE id = ? AND state = 'RETRY'")) {
            update.setString(1, failure.isLast() ? "QUARANTINED" : "RETRY");
            update.setDouble(2, failure.waitMillis() / 1000.0);
            update.setString(3, clean(failure.reason()));
            update.setLong(4, due.id());
            update.executeUpdate();
        }
    }

    /** Removes one that is done. */
    boolean delete(Connection connection, long id) throws SQLException {
        try (PreparedStatement delete =
                connection.prepareStatement("DELETE FROM hapax.held WHERE id = ? AND state = 'RETRY'")) {
            delete.setLong(1, id);
            return delete.executeUpdate() == 1;
        }
    }

    /**
     * Lets the next message of a key be tried, after the one before it has gone.
     *
     * @return its id; null if none was waiting
     */
    static @Nullable Long promote(Connection connection, String consumer, int lane, String messageKey)
            throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.held SET state = 'RETRY', next_at = clock_timestamp() WHERE id = ("
                        + "SELECT id FROM hapax.held WHERE consumer = ? AND lane = ? AND message_key = ? ORDER BY number LIMIT 1) AND state = 'WAITING' RETURNING id")) {
            update.setString(1, consumer);
            update.setInt(2, lane);
            update.setString(3, messageKey);
            try (ResultSet row = update.executeQuery()) {
                return row.next() ? row.getLong(1) : null;
            }
        }
    }

    boolean hasAny(Connection connection, int lane, String messageKey) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT EXISTS (SELECT FROM hapax.held WHERE consumer = ? AND lane = ? AND message_key = ?)")) {
            select.setString(1, consumer);
            select.setInt(2, lane);
            select.setString(3, messageKey);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    /** PostgreSQL's text holds no NUL, and a reason is for people: bounded, and without control characters but line ends. */
    static String clean(String reason) {
        StringBuilder out = new StringBuilder();
        reason.codePoints()
                .limit(REASON_MAX)
                .forEach(c -> out.appendCodePoint(
                        c == '\n' || !(Character.isISOControl(c) || (c >= 0xD800 && c <= 0xDFFF)) ? c : '?'));
        return out.toString();
    }
}
