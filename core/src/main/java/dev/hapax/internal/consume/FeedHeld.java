package dev.hapax.internal.consume;

import dev.hapax.internal.consume.HeldStore.Due;
import dev.hapax.internal.consume.HeldStore.Failure;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Messages that a relay has set aside. Its position may lie outside the database, so rows come first: a message that is found set aside already was read again, since the position that says so was
 * never committed.
 *
 * <p>Used by one thread.
 */
final class FeedHeld {

    private final ConsumerSettings settings;
    private final HeldStore store;

    /** By message key, the lowest number that is held: what lies before it in the log does not wait behind it. May name more keys than there are, never fewer. */
    private final Map<String, Long> keys = new HashMap<>();

    FeedHeld(ConsumerSettings settings) {
        this.settings = settings;
        this.store = new LogHeld(settings.name());
    }

    /** Reads which message keys have held messages. */
    void load(Connection connection) throws SQLException {
        keys.clear();
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT message_key, min(number) FROM hapax.held WHERE consumer = ? GROUP BY message_key")) {
            select.setString(1, settings.name());
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    keys.put(row.getString(1), row.getLong(2));
                }
            }
        }
    }

    boolean isEmpty() {
        return keys.isEmpty();
    }

    /** Whether a message waits behind one that is held. */
    boolean holds(String messageKey, long number) {
        Long lowest = settings.holdsKeys ? keys.get(messageKey) : null;
        return lowest != null && number > lowest;
    }

    /** How many there are; none means that an operator has dropped the last. */
    long count(Connection connection) throws SQLException {
        long count = store.count(connection);
        if (count == 0) {
            keys.clear();
        }
        return count;
    }

    /** Inside a transaction in which the positions' rows are locked. */
    void insert(Connection connection, List<ReadMessage> waiting, Map<ReadMessage, String> refused)
            throws SQLException {
        for (Map.Entry<ReadMessage, String> one : refused.entrySet()) {
            if (!isThere(connection, one.getKey())) {
                store.insertFailed(connection, one.getKey(), new Failure(1, 0, true, one.getValue()));
            }
        }
        List<ReadMessage> missing = new ArrayList<>();
        for (ReadMessage message : waiting) {
            if (!isThere(connection, message)) {
                missing.add(message);
            }
        }
        store.insertWaiting(connection, missing, settings.holdsKeys);
    }

    /** After that transaction was committed. */
    void inserted(List<ReadMessage> waiting, Map<ReadMessage, String> refused) {
        waiting.forEach(message -> keys.merge(message.messageKey(), message.number(), Math::min));
        refused.keySet().forEach(message -> keys.merge(message.messageKey(), message.number(), Math::min));
    }

    private boolean isThere(Connection connection, ReadMessage message) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT FROM hapax.held"
                + " WHERE consumer = ? AND lane = ? AND message_key = ? AND number = ? AND message_id = ?")) {
            select.setString(1, settings.name());
            select.setInt(2, message.lane());
            select.setString(3, message.messageKey());
            select.setLong(4, message.number());
            select.setObject(5, message.id());
            try (ResultSet row = select.executeQuery()) {
                return row.next();
            }
        }
    }

    /** The first that are due, as far as their large bodies have room. */
    List<Due> due(Connection connection, Collection<Integer> lanes, int limit) throws SQLException {
        List<Due> due = new ArrayList<>();
        long large = 0;
        for (Due one : store.due(connection, lanes, limit)) {
            if (large > ReadMessage.TOGETHER_BYTES_MAX) {
                break;
            }
            if (one.message().isBodyMissing()) {
                byte[] body = store.body(connection, one);
                due.add(new Due(one.id(), one.message().with(body), one.attempts()));
                large += body.length;
            } else {
                due.add(one);
            }
        }
        return due;
    }

    void refused(Connection connection, Due due, String reason) throws SQLException {
        store.failed(connection, due, new Failure(due.attempts() + 1, 0, true, reason));
    }

    /** It is published: the row goes, and the next of its key comes. Inside a transaction in which the position's row is locked. */
    void published(Connection connection, UUID message) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement(
                "DELETE FROM hapax.held WHERE consumer = ? AND message_id = ? RETURNING lane, message_key")) {
            delete.setString(1, settings.name());
            delete.setObject(2, message);
            try (ResultSet row = delete.executeQuery()) {
                while (row.next()) {
                    int lane = row.getInt(1);
                    String key = row.getString(2);
                    Long next = settings.holdsKeys ? HeldStore.promote(connection, settings.name(), lane, key) : null;
                    if (next == null && !store.hasAny(connection, lane, key)) {
                        keys.remove(key);
                    }
                }
            }
        }
    }
}
