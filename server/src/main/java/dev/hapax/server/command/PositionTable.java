package dev.hapax.server.command;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Reads {@code hapax.position}, and what lies in the log behind each position. */
final class PositionTable {

    private static final int LANES = 16;

    /** The sequences themselves, not their view: the view shows nothing where a right is missing, and nothing looks like no lag. */
    private static final String LAST_NUMBERS = IntStream.range(0, LANES)
            .mapToObj(lane -> "SELECT " + lane
                    + " AS lane, CASE WHEN is_called THEN last_value ELSE 0 END AS number FROM hapax.lane_" + lane)
            .collect(Collectors.joining(" UNION ALL "));

    /** What is unread lies in the gaps and above all; the oldest of each is the first of its index range. */
    private static final String SELECT = "WITH last AS MATERIALIZED (" + LAST_NUMBERS + """
            ), reader AS (
                SELECT p.*, coalesce(upper(p.done) - 1, p.low) AS high,
                       int8multirange(int8range(p.low + 1, NULL)) - p.done AS unread,
                       coalesce((SELECT sum(upper(r) - lower(r)) FROM unnest(p.done) r), 0) AS above
                FROM hapax.position p
                WHERE CAST(? AS text) IS NULL OR p.consumer = ?
            )
            SELECT p.consumer, p.lane, p.low, p.high, (SELECT count(*) - 1 FROM unnest(p.unread)) AS gaps,
                   greatest(last.number, p.high) - p.low - p.above AS behind,
                   (SELECT extract(epoch FROM clock_timestamp() - min(g.published_at))
                    FROM unnest(p.unread) r CROSS JOIN LATERAL (
                        SELECT l.published_at FROM hapax.log l
                        WHERE l.lane = p.lane AND l.number >= lower(r) AND l.number < coalesce(upper(r), 9223372036854775807)
                        ORDER BY l.number LIMIT 1) g) AS oldest,
                   p.owner, CASE WHEN p.owner IS NOT NULL THEN extract(epoch FROM p.leased_until - clock_timestamp()) END AS lease,
                   extract(epoch FROM clock_timestamp() - p.moved_at) AS moved, p.deaths
            FROM reader p JOIN last ON last.lane = p.lane
            ORDER BY p.consumer, p.lane""";

    private PositionTable() {}

    /**
     * How far a consumer has come in one lane.
     *
     * @param low all up to here is done
     * @param high the highest number that was seen
     * @param gaps ranges of numbers below {@code high} that are missing
     * @param behind numbers that were drawn and not yet passed; those of rolled-back transactions count until they are given up
     * @param oldest for how many seconds the oldest unread message has been waiting; null without one
     * @param owner the process that has the lease, or had it last; null if it gave it back
     * @param lease seconds until it ends; negative if it has ended
     * @param moved seconds since the position last moved
     * @param deaths takeovers since then
     */
    record Lane(
            String consumer,
            int lane,
            long low,
            long high,
            long gaps,
            long behind,
            @Nullable Double oldest,
            @Nullable String owner,
            @Nullable Double lease,
            double moved,
            int deaths) {

        boolean isOwned() {
            return owner != null && lease != null && lease > 0;
        }
    }

    /** All lanes of all consumers, or of one. */
    static List<Lane> lanes(Connection connection, @Nullable String consumer) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(SELECT)) {
            select.setString(1, consumer);
            select.setString(2, consumer);
            List<Lane> lanes = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    lanes.add(new Lane(
                            row.getString(1),
                            row.getInt(2),
                            row.getLong(3),
                            row.getLong(4),
                            row.getLong(5),
                            row.getLong(6),
                            seconds(row, 7),
                            row.getString(8),
                            seconds(row, 9),
                            row.getDouble(10),
                            row.getInt(11)));
                }
            }
            return lanes;
        }
    }

    private static @Nullable Double seconds(ResultSet row, int column) throws SQLException {
        double value = row.getDouble(column);
        return row.wasNull() ? null : Math.round(value * 1000) / 1000.0;
    }

    static boolean isKnown(Connection connection, String consumer) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT EXISTS (SELECT FROM hapax.position WHERE consumer = ?) OR EXISTS (SELECT FROM hapax.kafka_position WHERE consumer = ?)")) {
            select.setString(1, consumer);
            select.setString(2, consumer);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }
}
