package dev.hapax.internal.consume;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/** Held messages of a consumer of the log: they are copied out of it. */
final class LogHeld extends HeldStore {

    private static final String COPIED =
            "lane, number, topic, message_key, type, scope, producer, key, key_time, trace, published_at, body";

    private static final String COPIED_FROM_LOG = " g.id, g." + COPIED.replace(", ", ", g.");

    LogHeld(String consumer) {
        super(consumer, "SELECT FROM hapax.position p WHERE p.consumer = ? AND p.lane = ? AND p.token = ?");
    }

    @Override
    void insertFailed(Connection connection, ReadMessage message, Failure failure) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO hapax.held (consumer, state, attempts, next_at, reason, message_id, " + COPIED
                        + ") SELECT ?, ?, ?, clock_timestamp() + make_interval(secs => ?), ?," + COPIED_FROM_LOG
                        + " FROM hapax.log g WHERE g.lane = ? AND g.number = ?")) {
            bindFailure(insert, consumer, failure);
            insert.setInt(6, message.lane());
            insert.setLong(7, message.number());
            if (insert.executeUpdate() != 1) {
                throw new SQLException("message " + message + " has gone from the log before it could be set aside");
            }
        }
    }

    @Override
    void insertWaiting(Connection connection, List<ReadMessage> messages, boolean inOrder) throws SQLException {
        if (messages.isEmpty()) {
            return;
        }
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO hapax.held (consumer, state, attempts, next_at, message_id, " + COPIED + ") SELECT ?,"
                        + " CASE WHEN NOT ? OR row_number() OVER (PARTITION BY g.lane, g.message_key ORDER BY g.number) = 1 AND NOT EXISTS (SELECT FROM hapax.held h"
                        + " WHERE h.consumer = ? AND h.lane = g.lane AND h.message_key = g.message_key) THEN 'RETRY' ELSE 'WAITING' END, 0, clock_timestamp(),"
                        + COPIED_FROM_LOG
                        + " FROM unnest(CAST(? AS smallint[]), CAST(? AS bigint[])) AS w (lane, number)"
                        + " JOIN hapax.log g ON g.lane = w.lane AND g.number = w.number")) {
            insert.setString(1, consumer);
            insert.setBoolean(2, inOrder);
            insert.setString(3, consumer);
            insert.setArray(
                    4,
                    connection.createArrayOf(
                            "int2", messages.stream().map(m -> (short) m.lane()).toArray()));
            insert.setArray(
                    5,
                    connection.createArrayOf(
                            "int8", messages.stream().map(ReadMessage::number).toArray()));
            if (insert.executeUpdate() != messages.size()) {
                throw new SQLException("a message has gone from the log before it could be held");
            }
        }
    }
}
