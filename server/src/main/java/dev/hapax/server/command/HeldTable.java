package dev.hapax.server.command;

import dev.hapax.consume.Quarantine.State;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads {@code hapax.held}. Lists leave the bodies where they are: thousands of them don't fit into a command's memory. */
final class HeldTable {

    private static final String SELECT =
            "SELECT id, consumer, state, attempts, held_at, next_at, topic, message_key, type, message_id, lane, number,"
                    + " scope, producer, key, published_at, reason, octet_length(body) FROM hapax.held";

    private HeldTable() {}

    /** A held message without its body. */
    record Held(
            long id,
            String consumer,
            State state,
            int attempts,
            Instant heldAt,
            Instant nextAt,
            String topic,
            String messageKey,
            String type,
            String messageId,
            int lane,
            long number,
            String scope,
            String producer,
            String key,
            Instant publishedAt,
            @Nullable String reason,
            long bytes) {

        String operation() {
            return scope + ":" + key + "@" + producer;
        }
    }

    /** Oldest first. */
    static List<Held> list(Connection connection, String consumer, Collection<State> states, int limit)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                SELECT + " WHERE consumer = ? AND state = ANY (CAST(? AS text[])) ORDER BY held_at, id LIMIT ?")) {
            select.setString(1, consumer);
            select.setArray(
                    2,
                    connection.createArrayOf(
                            "text", states.stream().map(State::name).toArray()));
            select.setInt(3, limit);
            return read(select);
        }
    }

    static Optional<Held> find(Connection connection, long id) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(SELECT + " WHERE id = ?")) {
            select.setLong(1, id);
            return read(select).stream().findFirst();
        }
    }

    private static List<Held> read(PreparedStatement select) throws SQLException {
        List<Held> held = new ArrayList<>();
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) {
                held.add(new Held(
                        row.getLong(1),
                        row.getString(2),
                        State.valueOf(row.getString(3)),
                        row.getInt(4),
                        instant(row, 5),
                        instant(row, 6),
                        row.getString(7),
                        row.getString(8),
                        row.getString(9),
                        row.getString(10),
                        row.getInt(11),
                        row.getLong(12),
                        row.getString(13),
                        row.getString(14),
                        row.getString(15),
                        instant(row, 16),
                        row.getString(17),
                        row.getLong(18)));
            }
        }
        return held;
    }

    private static Instant instant(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    static byte[] body(Connection connection, long id) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT body FROM hapax.held WHERE id = ?")) {
            select.setLong(1, id);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getBytes(1) : new byte[0];
            }
        }
    }

    /** How many messages a consumer holds, by state. */
    static final class Counts {

        static final Counts NONE = new Counts();

        private final Map<State, Long> byState = new HashMap<>();

        long of(State state) {
            return byState.getOrDefault(state, 0L);
        }

        long all() {
            return byState.values().stream().mapToLong(Long::longValue).sum();
        }

        /** "2 set aside, 1 to be tried again, 7 waiting behind those". */
        @Override
        public String toString() {
            return of(State.QUARANTINED) + " set aside, " + of(State.RETRY) + " to be tried again, " + of(State.WAITING)
                    + " waiting behind those";
        }
    }

    /** By consumer; none for one that holds nothing. */
    static Map<String, Counts> counts(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT consumer, state, count(*) FROM hapax.held GROUP BY consumer, state");
                ResultSet row = select.executeQuery()) {
            Map<String, Counts> counts = new HashMap<>();
            while (row.next()) {
                counts.computeIfAbsent(row.getString(1), c -> new Counts())
                        .byState
                        .put(State.valueOf(row.getString(2)), row.getLong(3));
            }
            return counts;
        }
    }
}
