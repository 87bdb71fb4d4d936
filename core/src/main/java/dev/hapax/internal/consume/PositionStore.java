package dev.hapax.internal.consume;

import dev.hapax.consume.Start;
import dev.hapax.internal.HistoryGuard;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.log.Lanes;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * All SQL on positions and leases. The database's clock decides leases. They only say who should work; that nobody works on what another has is decided by
 * the token, in the statement that moves the position, in the transaction of the effects.
 */
final class PositionStore {

    private static final String UNTIL = "clock_timestamp() + make_interval(secs => ?)";

    private static final String TAKE =
            "UPDATE hapax.position SET token = token + 1, owner = ?, deduplicates = ?, leased_until = " + UNTIL;
    private static final String TAKEN = " RETURNING token, low, CAST(done AS text), deaths";

    /**
     * A row that another transaction has locked is passed over, and looked at again in the next round: its owner may stand still in the middle of its commit, and whoever waited for it would let
     * all other lanes go meanwhile.
     */
    private static String unlocked(String condition) {
        return " WHERE consumer = ? AND lane = (SELECT q.lane FROM hapax.position q WHERE q.consumer = ? AND q.lane = ? AND "
                + condition + " FOR UPDATE SKIP LOCKED)";
    }

    /**
     * The row is looked for where it was left ({@code ctid}), not by its key: while some transaction of the database stays open, no vacuum can remove the row's former versions,
     * and whoever comes by the key walks through all of them. After ten minutes of that there are a hundred thousand.
     */
    private static final String MOVE = "UPDATE hapax.position p SET low = v.low, done = CAST(v.done AS int8multirange),"
            + " moved_at = clock_timestamp(), deaths = 0, leased_until = " + UNTIL
            + " FROM unnest(CAST(? AS smallint[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS tid[]))"
            + " AS v (lane, token, low, done, low_before, done_before, place) WHERE p.consumer = ? AND p.lane = v.lane AND p.token = v.token"
            + " AND p.low = v.low_before AND p.done = CAST(v.done_before AS int8multirange)";

    private static final String HERE = "INSERT INTO hapax.member (consumer, node, seen_until) VALUES (?, ?, " + UNTIL
            + ") ON CONFLICT (consumer, node) DO UPDATE SET seen_until = excluded.seen_until";

    /** One statement, since each one of an idle service wakes two sleeping processes. */
    private static final String ROUND = "WITH here AS (" + HERE + "), beat AS (" + HistoryGuard.BEAT_IN_PASSING + "),"
            + " extended AS (UPDATE hapax.position p SET leased_until = " + UNTIL
            + " WHERE p.consumer = ? AND p.owner = ? AND p.lane IN"
            + " (SELECT q.lane FROM hapax.position q WHERE q.consumer = ? AND q.owner = ? AND q.lane = ANY (CAST(? AS smallint[]))"
            + " FOR UPDATE SKIP LOCKED))"
            + " SELECT others.n + 1, mine.lane FROM ("
            + "SELECT CAST(count(*) AS int) AS n FROM hapax.member WHERE consumer = ? AND node <> ? AND seen_until >= clock_timestamp()) others"
            + " LEFT JOIN hapax.position mine ON mine.consumer = ? AND mine.owner = ? AND mine.lane = ANY (CAST(? AS smallint[]))";

    private static final String MOVED = " RETURNING p.lane, CAST(p.ctid AS text)";

    private static final Short[] ALL_LANES =
            IntStream.range(0, Lanes.COUNT).mapToObj(lane -> (short) lane).toArray(Short[]::new);

    private final String consumer;
    private final String node;
    private final boolean deduplicates;
    private final double leaseSeconds;
    private final long roundNanos;

    /** When this process last moved each lane, by a clock that only measures distances. */
    private final AtomicLongArray movedNanos = new AtomicLongArray(Lanes.COUNT);

    PositionStore(ConsumerSettings settings, String node) {
        this.consumer = settings.name();
        this.node = node;
        this.deduplicates = settings.isDeduplicating();
        this.leaseSeconds = settings.lease.toMillis() / 1000.0;
        this.roundNanos = (long) (leaseSeconds * 1e9 / 4);
        for (int lane = 0; lane < Lanes.COUNT; lane++) {
            notMoved(lane);
        }
    }

    private void notMoved(int lane) {
        movedNanos.set(lane, SystemSource.INSTANCE.nanos() - roundNanos);
    }

    /** Creates the positions, once per consumer: all lanes in one statement, so that no process sees a part of them. */
    void create(Connection connection, Start start) throws SQLException {
        String since = switch (start) {
            case Start.Beginning b -> "-infinity";
            case Start.Now n -> "infinity";
            case Start.At at ->
                OffsetDateTime.ofInstant(at.instant(), ZoneOffset.UTC).toString();
        };
        boolean beginning = start instanceof Start.Beginning;
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO hapax.position (consumer, lane, low) SELECT ?, lane, "
                        + (beginning
                                ? "0 FROM generate_series(0, 15) AS lane"
                                : "low FROM hapax.numbers_before(CAST(? AS timestamptz))")
                        + " WHERE NOT EXISTS (SELECT FROM hapax.position WHERE consumer = ?) ON CONFLICT DO NOTHING")) {
            int i = 1;
            insert.setString(i++, consumer);
            if (!beginning) {
                insert.setString(i++, since);
            }
            insert.setString(i, consumer);
            insert.executeUpdate();
        }
    }

    /** Says that this process is there. */
    void join(Connection connection) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement(HERE)) {
            upsert.setString(1, consumer);
            upsert.setString(2, node);
            upsert.setDouble(3, leaseSeconds);
            upsert.executeUpdate();
        }
    }

    /** Says that this process is gone, and forgets others that have been gone for a day. */
    void leave(Connection connection) throws SQLException {
        try (PreparedStatement delete =
                connection.prepareStatement("DELETE FROM hapax.member WHERE (consumer = ? AND node = ?)"
                        + " OR seen_until < clock_timestamp() - interval '1 day'")) {
            delete.setString(1, consumer);
            delete.setString(2, node);
            delete.executeUpdate();
        }
    }

    /** Lanes that nobody owns (any more), in the order in which they became free. */
    List<Short> free(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT lane FROM hapax.position WHERE consumer = ?"
                + " AND (owner IS NULL OR leased_until < clock_timestamp()) ORDER BY leased_until, lane")) {
            select.setString(1, consumer);
            List<Short> lanes = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    lanes.add(row.getShort(1));
                }
            }
            return lanes;
        }
    }

    /**
     * Takes a free lane, with the position that its former owner left.
     *
     * @return null if another was faster, or its row is locked: the former owner may be just committing
     */
    @Nullable
    Lane take(Connection connection, short lane, int quarantineAfter, int suspects) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(TAKE
                + ", deaths = CASE WHEN owner IS NULL THEN 0 ELSE least(deaths + 1, 30000) END"
                + unlocked("(q.owner IS NULL OR q.leased_until < clock_timestamp())") + TAKEN)) {
            bindTake(update, lane);
            return taken(update, lane, deaths -> deaths >= quarantineAfter ? suspects : 0);
        }
    }

    /**
     * Takes a lane anew that this process owns, after it lost sight of what its last transaction did: the new token makes sure that it can't still do something, and the position
     * is what it has left.
     *
     * @return null if another has taken it over, or its row is locked: that last transaction may not be over
     */
    @Nullable
    Lane retake(Connection connection, Lane lane) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement(TAKE + unlocked("q.owner = ? AND q.token = ?") + TAKEN)) {
            bindTake(update, lane.number);
            update.setString(7, node);
            update.setLong(8, lane.token);
            return taken(update, lane.number, deaths -> lane.suspects);
        }
    }

    private void bindTake(PreparedStatement update, short lane) throws SQLException {
        update.setString(1, node);
        update.setBoolean(2, deduplicates);
        update.setDouble(3, leaseSeconds);
        update.setString(4, consumer);
        update.setString(5, consumer);
        update.setShort(6, lane);
    }

    private static @Nullable Lane taken(PreparedStatement update, short number, IntUnaryOperator suspects)
            throws SQLException {
        try (ResultSet row = update.executeQuery()) {
            if (!row.next()) {
                return null;
            }
            Lane lane = new Lane(number, row.getLong(1), Position.of(row.getLong(2), row.getString(3)));
            lane.suspects = suspects.applyAsInt(row.getInt(4));
            return lane;
        }
    }

    /**
     * What a round found.
     *
     * @param members how many processes take part, this one included
     * @param owned the lanes that are ours
     */
    record Round(int members, Set<Short> owned) {}

    /**
     * Says that this process is there, and extends its leases. Rows that a transaction of ours is moving at the moment are passed over, since that extends them too.
     */
    Round round(Connection connection) throws SQLException {
        Set<Short> owned = new HashSet<>();
        List<Short> quiet = new ArrayList<>();
        long now = SystemSource.INSTANCE.nanos();
        for (short lane = 0; lane < Lanes.COUNT; lane++) {
            // What was just moved was extended by that, and is ours.
            if (now - movedNanos.get(lane) < roundNanos) {
                owned.add(lane);
            } else {
                quiet.add(lane);
            }
        }
        Array lanes = connection.createArrayOf("int2", quiet.toArray());
        try (PreparedStatement round = connection.prepareStatement(ROUND)) {
            int i = 1;
            round.setString(i++, consumer);
            round.setString(i++, node);
            round.setDouble(i++, leaseSeconds);
            round.setDouble(i++, leaseSeconds);
            for (int part = 0; part < 4; part++) {
                round.setString(i++, consumer);
                round.setString(i++, node);
                if (part % 2 == 1) {
                    round.setArray(i++, lanes);
                }
            }
            try (ResultSet row = round.executeQuery()) {
                row.next();
                int members = row.getInt(1);
                do {
                    short lane = row.getShort(2);
                    if (!row.wasNull()) {
                        owned.add(lane);
                    }
                } while (row.next());
                return new Round(members, owned);
            }
        }
    }

    /** The lanes that are ours. */
    Set<Short> owned(Connection connection) throws SQLException {
        return owned(connection, connection.createArrayOf("int2", ALL_LANES));
    }

    private Set<Short> owned(Connection connection, Array lanes) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT lane FROM hapax.position"
                + " WHERE consumer = ? AND owner = ? AND lane = ANY (CAST(? AS smallint[]))")) {
            select.setString(1, consumer);
            select.setString(2, node);
            select.setArray(3, lanes);
            Set<Short> owned = new HashSet<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    owned.add(row.getShort(1));
                }
            }
            return owned;
        }
    }

    /**
     * Moves the positions, if all lanes are still ours and where we left them. Inside the transaction of the effects, after them, and before messages are written.
     *
     * <p>The token tells other owners apart; that the position is where we left it tells our own past apart: a commit of ours that went through unheard.
     *
     * @return whether all were; if not, the transaction must be rolled back
     */
    boolean move(Connection connection, List<Lane> lanes, List<Position> positions) throws SQLException {
        List<Integer> missing = new ArrayList<>();
        for (int i = 0; i < lanes.size(); i++) {
            missing.add(i);
        }
        if (lanes.stream().anyMatch(lane -> lane.position.place != null)) {
            missing = move(connection, MOVE + " AND p.ctid = v.place" + MOVED, lanes, positions, missing);
        }
        // A renewal has moved the row, or nobody knows yet where it is.
        if (!missing.isEmpty()) {
            missing = move(connection, MOVE + MOVED, lanes, positions, missing);
        }
        if (missing.isEmpty()) {
            long now = SystemSource.INSTANCE.nanos();
            lanes.forEach(lane -> movedNanos.set(lane.number, now));
        }
        return missing.isEmpty();
    }

    /** Moves some of them; returns those that it did not find. */
    private List<Integer> move(
            Connection connection, String sql, List<Lane> lanes, List<Position> positions, List<Integer> which)
            throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            update.setDouble(1, leaseSeconds);
            update.setArray(2, array(connection, "int2", which, i -> lanes.get(i).number));
            update.setArray(3, array(connection, "int8", which, i -> lanes.get(i).token));
            update.setArray(
                    4, array(connection, "int8", which, i -> positions.get(i).low()));
            update.setArray(
                    5, array(connection, "text", which, i -> positions.get(i).done()));
            update.setArray(
                    6,
                    array(connection, "int8", which, i -> lanes.get(i).position.low()));
            update.setArray(
                    7,
                    array(connection, "text", which, i -> lanes.get(i).position.done()));
            update.setArray(8, array(connection, "tid", which, i -> lanes.get(i).position.place));
            update.setString(9, consumer);
            Map<Short, String> places = new HashMap<>();
            try (ResultSet row = update.executeQuery()) {
                while (row.next()) {
                    places.put(row.getShort(1), row.getString(2));
                }
            }
            List<Integer> missing = new ArrayList<>();
            for (int i : which) {
                String place = places.get(lanes.get(i).number);
                if (place == null) {
                    missing.add(i);
                } else {
                    positions.get(i).place = place;
                }
            }
            return missing;
        }
    }

    private static Array array(
            Connection connection, String type, List<Integer> which, IntFunction<@Nullable Object> value)
            throws SQLException {
        @Nullable Object[] values = new Object[which.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = value.apply(which.get(i));
        }
        return connection.createArrayOf(type, values);
    }

    /** Gives a lane back, if it is still ours. */
    void release(Connection connection, Lane lane) throws SQLException {
        notMoved(lane.number);
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.position SET owner = NULL, leased_until = '-infinity', deaths = 0"
                        + " WHERE consumer = ? AND lane = ? AND token = ?")) {
            update.setString(1, consumer);
            update.setShort(2, lane.number);
            update.setLong(3, lane.token);
            update.executeUpdate();
        }
    }

    /** Gives back a lane that is ours by name, whatever its token, unless its row is locked. */
    void disown(Connection connection, short lane) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.position SET owner = NULL, leased_until = '-infinity'" + unlocked("q.owner = ?"))) {
            update.setString(1, consumer);
            update.setString(2, consumer);
            update.setShort(3, lane);
            update.setString(4, node);
            update.executeUpdate();
        }
    }

    /** How long the oldest message above these positions has been in the log, by the database's clock; zero if there is none. */
    static Duration oldestUnread(Connection connection, Collection<Lane> lanes) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT CAST(coalesce(greatest(0, extract(epoch FROM clock_timestamp() - min(g.published_at))) * 1000, 0) AS bigint) FROM unnest(CAST(? AS smallint[]), CAST(? AS bigint[])) AS l (lane, low)"
                        + " CROSS JOIN LATERAL (SELECT published_at FROM hapax.log WHERE lane = l.lane AND number > l.low AND number <= l.low + 1000 ORDER BY number LIMIT 1) g")) {
            select.setArray(
                    1,
                    connection.createArrayOf(
                            "int2", lanes.stream().map(l -> l.number).toArray()));
            select.setArray(
                    2,
                    connection.createArrayOf(
                            "int8", lanes.stream().map(l -> l.position.low()).toArray()));
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return Duration.ofMillis(row.getLong(1));
            }
        }
    }
}
