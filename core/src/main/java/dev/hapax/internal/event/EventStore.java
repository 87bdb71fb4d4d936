package dev.hapax.internal.event;

import dev.hapax.Key;
import dev.hapax.VersionConflictException;
import dev.hapax.event.Event;
import dev.hapax.internal.ChildIds;
import dev.hapax.internal.Connections;
import dev.hapax.spi.Codec;
import dev.hapax.spi.Encoded;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * All SQL on streams.
 *
 * <p>The stream's row is locked before its events draw their positions, by the part of the statement that the rest takes its rows from. That makes a stream's positions follow its versions, refuses a wrong
 * version without writing anything, and gives the transaction its xid before it draws a number, which readers rely on.
 *
 * <p>Safe for use by many threads.
 */
final class EventStore {

    /** Appends at any version. */
    static final long ANY = -1;

    /** Pages are cut here, so that large events don't fill the heap. */
    static final long PAGE_BYTES = 8 << 20;

    private static final int TRIES = 3;

    private static final String NEW =
            append("INSERT INTO hapax.event_stream (name, version) VALUES (?, ?) ON CONFLICT (name) DO NOTHING");
    private static final String AT =
            append("UPDATE hapax.event_stream SET version = version + ? WHERE name = ? AND version = ?");
    private static final String AT_ANY = append("INSERT INTO hapax.event_stream AS t (name, version) VALUES (?, ?)"
            + " ON CONFLICT (name) DO UPDATE SET version = t.version + excluded.version");

    private static final String READ = "SELECT " + StoredEvent.COLUMNS + ", e.body FROM"
            + " (SELECT *, sum(octet_length(body)) OVER (ORDER BY version) - octet_length(body) AS before FROM"
            + " (SELECT * FROM hapax.event WHERE stream = (SELECT id FROM hapax.event_stream WHERE name = ?) AND version >= ?"
            + " ORDER BY version LIMIT ?) p) e JOIN hapax.event_stream s ON s.id = e.stream WHERE e.before < "
            + PAGE_BYTES
            + " ORDER BY e.version";

    private static final String LAST_OF_KEY = "SELECT s.name, max(e.version) FROM hapax.event f"
            + " JOIN hapax.event_stream s ON s.id = f.stream"
            + " JOIN hapax.event e ON e.stream = f.stream AND e.version BETWEEN f.version AND f.version + ?"
            + " AND e.scope = f.scope AND e.producer = f.producer AND e.key = f.key WHERE f.id = ? GROUP BY s.name";

    private final Connections connections;
    private final Codec codec;

    EventStore(Connections connections, Codec codec) {
        this.connections = connections;
        this.codec = codec;
    }

    Connections connections() {
        return connections;
    }

    /**
     * Events to append.
     *
     * @param key the operation, with its producer
     * @param expected the stream's version, or {@link #ANY}
     */
    record Wanted(String stream, Key key, long expected, List<Encoded> events) {}

    /** The statement around the part that locks the stream. */
    private static String append(String locked) {
        return "WITH s AS (" + locked + " RETURNING id, version), e AS (INSERT INTO hapax.event"
                + " (stream, version, id, type, scope, producer, key, key_time, body)"
                + " SELECT s.id, s.version - ? + n.nth, n.id, n.type, ?, ?, ?, ?, n.body FROM s CROSS JOIN"
                + " unnest(CAST(? AS uuid[]), CAST(? AS text[]), CAST(? AS bytea[])) WITH ORDINALITY AS n (id, type, body, nth)"
                + " ORDER BY n.nth RETURNING version) SELECT max(version) FROM e";
    }

    /**
     * Appends, in an open transaction.
     *
     * @return the version of the last event
     * @throws VersionConflictException if the stream has another version; nothing was written
     */
    long append(Connection connection, Wanted wanted, int waitSeconds) throws SQLException {
        for (int n = 1; ; n++) {
            long version = tryAppend(connection, wanted, waitSeconds);
            if (version > 0) {
                return version;
            }
            long actual = version(connection, wanted.stream);
            // It has come to the expected version in between: then it is not wrong.
            if (actual != wanted.expected || n == TRIES) {
                throw new VersionConflictException(wanted.key, wanted.stream, wanted.expected, actual);
            }
        }
    }

    private long tryAppend(Connection connection, Wanted wanted, int waitSeconds) throws SQLException {
        String sql = wanted.expected == ANY ? AT_ANY : wanted.expected == 0 ? NEW : AT;
        int count = wanted.events.size();
        try (PreparedStatement append = connection.prepareStatement(sql)) {
            int i = 1;
            if (wanted.expected > 0) {
                append.setLong(i++, count);
                append.setString(i++, wanted.stream);
                append.setLong(i++, wanted.expected);
            } else {
                append.setString(i++, wanted.stream);
                append.setLong(i++, count);
            }
            append.setLong(i++, count);
            append.setString(i++, wanted.key.scope());
            append.setString(i++, wanted.key.producer().orElseThrow());
            append.setString(i++, wanted.key.id());
            append.setObject(
                    i++,
                    wanted.key
                            .time()
                            .map(time -> OffsetDateTime.ofInstant(time, ZoneOffset.UTC))
                            .orElse(null),
                    java.sql.Types.TIMESTAMP_WITH_TIMEZONE);
            for (Array column : columns(connection, wanted)) {
                append.setArray(i++, column);
            }
            try (var watch = connections.deadlines().watch(append, waitSeconds);
                    ResultSet row = append.executeQuery()) {
                row.next();
                // Null, read as 0: the stream had another version.
                return row.getLong(1);
            }
        }
    }

    private static List<Array> columns(Connection connection, Wanted wanted) throws SQLException {
        int count = wanted.events.size();
        UUID[] ids = new UUID[count];
        String[] types = new String[count];
        byte[][] bodies = new byte[count][];
        for (int n = 0; n < count; n++) {
            ids[n] = id(wanted.key, n + 1);
            types[n] = wanted.events.get(n).type();
            bodies[n] = wanted.events.get(n).body();
        }
        return List.of(
                connection.createArrayOf("uuid", ids),
                connection.createArrayOf("text", types),
                connection.createArrayOf("bytea", bodies));
    }

    private static UUID id(Key key, int nth) {
        return ChildIds.own(key, "event/" + nth);
    }

    /**
     * Where the events of a key are.
     *
     * @param version of the last one
     */
    record Place(String stream, long version) {}

    /** Where the events are that the key has appended; empty if it has appended none. */
    Optional<Place> place(Connection connection, Key key, int most) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(LAST_OF_KEY)) {
            select.setLong(1, most - 1L);
            select.setObject(2, id(key, 1));
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? Optional.of(new Place(row.getString(1), row.getLong(2))) : Optional.empty();
            }
        }
    }

    long version(Connection connection, String stream) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT version FROM hapax.event_stream WHERE name = ?")) {
            select.setString(1, stream);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getLong(1) : 0;
            }
        }
    }

    List<Event> read(Connection connection, String stream, long from, int most) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(READ)) {
            select.setString(1, stream);
            select.setLong(2, from);
            select.setInt(3, most);
            List<Event> page = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    page.add(new StoredEvent(codec, row, row.getBytes(StoredEvent.BODY)));
                }
            }
            return page;
        }
    }
}
