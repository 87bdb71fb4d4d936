package dev.hapax.internal.event;

import dev.hapax.internal.Connections;
import dev.hapax.internal.consume.Position;
import dev.hapax.spi.Codec;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All SQL on projections. Safe for use by many threads. */
final class ProjectionStore {

    private static final int TURN_SECONDS = 30;
    private static final int GAPS_MAX = 1_000;

    private static final int BODY_COLUMN = StoredEvent.BODY;
    private static final int WANTED_COLUMN = BODY_COLUMN + 1;
    private static final int XMIN_COLUMN = WANTED_COLUMN + 1;

    /**
     * One statement, so one snapshot: events in the gaps, events above, and the xmin that says what can still come. A body is null where the page is cut, and for events of other streams.
     */
    private static final String LOOK =
            "SELECT p.*, CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
                    + " FROM (SELECT 1) one LEFT JOIN (SELECT " + StoredEvent.COLUMNS
                    + ", CASE WHEN starts_with(s.name, ?) AND e.before < " + EventStore.PAGE_BYTES + " THEN e.body END,"
                    + " starts_with(s.name, ?) FROM (SELECT u.*, sum(octet_length(u.body)) OVER (ORDER BY u.position) - octet_length(u.body) AS before"
                    + " FROM ((SELECT g.* FROM unnest(CAST(? AS bigint[]), CAST(? AS bigint[])) AS gap (since, until)"
                    + " JOIN hapax.event g ON g.position BETWEEN gap.since AND gap.until ORDER BY g.position LIMIT ?)"
                    + " UNION ALL (SELECT a.* FROM hapax.event a WHERE a.position > ? ORDER BY a.position LIMIT ?)) u"
                    + " ORDER BY u.position LIMIT ?) e JOIN hapax.event_stream s ON s.id = e.stream) p ON true ORDER BY p.position";

    private final Connections connections;
    private final Codec codec;

    ProjectionStore(Connections connections, Codec codec) {
        this.connections = connections;
        this.codec = codec;
    }

    Connections connections() {
        return connections;
    }

    void create(Connection connection, String name) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO hapax.projection (name) SELECT ? WHERE NOT EXISTS (SELECT FROM hapax.projection WHERE name = ?)"
                        + " ON CONFLICT DO NOTHING")) {
            insert.setString(1, name);
            insert.setString(2, name);
            insert.executeUpdate();
        }
    }

    /** Takes the turn: until this transaction ends, nobody else moves the position. */
    Position lock(Connection connection, String name) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT low, CAST(done AS text) FROM hapax.projection WHERE name = ? FOR UPDATE");
                var watch = connections.deadlines().watch(select, TURN_SECONDS)) {
            select.setString(1, name);
            return position(select, name);
        }
    }

    private static Position position(PreparedStatement select, String name) throws SQLException {
        try (ResultSet row = select.executeQuery()) {
            if (!row.next()) {
                throw new IllegalStateException(
                        "projection " + name + " has no position any more; somebody has deleted its row. Open it anew");
            }
            return Position.of(row.getLong(1), row.getString(2));
        }
    }

    /** The position, as it is at the moment. */
    Position find(Connection connection, String name) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT low, CAST(done AS text) FROM hapax.projection WHERE name = ?")) {
            select.setString(1, name);
            return position(select, name);
        }
    }

    void move(Connection connection, String name, long low, String done) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement("UPDATE hapax.projection SET low = ?,"
                + " done = CAST(? AS int8multirange), moved_at = clock_timestamp() WHERE name = ?")) {
            update.setLong(1, low);
            update.setString(2, done);
            update.setString(3, name);
            update.executeUpdate();
        }
    }

    /**
     * An event, and whether it is one of the projection's streams.
     *
     * @param event null for one of other streams
     */
    record Found(long position, @Nullable StoredEvent event) {}

    /**
     * What one look found.
     *
     * @param whole whether it found all that its snapshot has: if not, no gap may be given up
     */
    record Look(List<Found> events, long xmin, boolean whole) {}

    Look look(Connection connection, Position position, String prefix, int most) throws SQLException {
        List<Position.Gap> gaps = position.gaps();
        try (PreparedStatement select = connection.prepareStatement(LOOK)) {
            select.setString(1, prefix);
            select.setString(2, prefix);
            select.setArray(
                    3,
                    connection.createArrayOf(
                            "int8", gaps.stream().map(Position.Gap::from).toArray()));
            select.setArray(
                    4,
                    connection.createArrayOf(
                            "int8", gaps.stream().map(Position.Gap::to).toArray()));
            select.setInt(5, most);
            // Behind too many gaps it waits for them: its position must stay small enough to be written with every
            // page.
            select.setLong(6, gaps.size() > GAPS_MAX ? Long.MAX_VALUE : position.high());
            select.setInt(7, most);
            select.setInt(8, most);
            try (ResultSet row = select.executeQuery()) {
                return read(row, most);
            }
        }
    }

    private Look read(ResultSet row, int most) throws SQLException {
        List<Found> found = new ArrayList<>();
        long xmin = 0;
        boolean cut = false;
        while (row.next()) {
            xmin = row.getLong(XMIN_COLUMN);
            long position = row.getLong(1);
            if (position == 0 || cut) {
                continue;
            }
            if (!row.getBoolean(WANTED_COLUMN)) {
                found.add(new Found(position, null));
                continue;
            }
            byte[] body = row.getBytes(BODY_COLUMN);
            if (body == null) {
                cut = true;
            } else {
                found.add(new Found(position, new StoredEvent(codec, row, body)));
            }
        }
        return new Look(found, xmin, !cut && found.size() < most);
    }

    /** An xid of our own, drawn after what was seen: every transaction that has one by now has a smaller one. */
    long drawBound() throws SQLException {
        return connections.autoCommit(connection -> {
            try (PreparedStatement select =
                            connection.prepareStatement("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)");
                    ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        });
    }
}
