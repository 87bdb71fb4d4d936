package dev.hapax.internal.consume;

import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** All reading of the log, by position. */
final class LogReader {

    /** Larger bodies are read one at a time, when they are handled: 500 messages of 1 MiB would not fit into a small heap. */
    static final int INLINE_BYTES = 16_384;

    /** -2 for the row at the position, -1 for a row of a gap, 0 for one above, else the xmin. */
    private static final int KIND_COLUMN = 14;

    private static final long AT_POSITION = -2;

    private static final long IN_GAP = -1;

    /** What a look says for an xmin when it looked at no gap. */
    static final long NO_XMIN = 0;

    private static final String LAST_NUMBERS = IntStream.range(0, Lanes.COUNT)
            .mapToObj(lane ->
                    "SELECT " + lane + ", CASE WHEN is_called THEN last_value ELSE 0 END FROM hapax.lane_" + lane)
            .collect(Collectors.joining(" UNION ALL "));

    private final String @Nullable [] topics;
    private final boolean anchored;
    private final String above;
    private final String withGaps;

    /** Reads for consumers of these topics. */
    LogReader(List<String> topics) {
        this(topics.toArray(String[]::new), false);
    }

    /**
     * @param topics whose bodies are read; null for all
     * @param anchored whether each look also tells which message lies at the position, in the same snapshot, so that a reader sees if the log is the one that it knew
     */
    LogReader(String @Nullable [] topics, boolean anchored) {
        this.topics = topics;
        this.anchored = anchored;
        this.above = above(topics == null, anchored);
        this.withGaps = withGaps(topics == null, above);
    }

    /**
     * Numbers lie close together, so an upper bound on the number bounds the work, whatever plan is chosen: with "all above, in order, the first 500" alone, a partition
     * that has no statistics yet (each day's, at midnight) is read whole and sorted, at each look.
     */
    private static String above(boolean all, boolean anchored) {
        return "SELECT " + selected(all, anchored ? "g.number > l.high AND " : "")
                + (anchored
                        ? ", CAST(CASE WHEN g.number = l.high THEN " + AT_POSITION + " ELSE 0 END AS bigint)"
                        : ", CAST(0 AS bigint)")
                + " FROM unnest(CAST(? AS smallint[]), CAST(? AS bigint[]), CAST(? AS bigint[])) AS l (lane, high, until)"
                + " CROSS JOIN LATERAL (SELECT * FROM hapax.log WHERE lane = l.lane AND number "
                + (anchored ? ">=" : ">")
                + " l.high AND number <= l.until ORDER BY number LIMIT ?) g LIMIT ?";
    }

    /** One statement, so one snapshot: a row in a gap, a row above, and the xmin that says what can still come. */
    private static String withGaps(boolean all, String above) {
        return "(SELECT " + selected(all, "") + ", CAST(" + IN_GAP + " AS bigint)"
                + " FROM unnest(CAST(? AS smallint[]), CAST(? AS bigint[]), CAST(? AS bigint[])) AS p (lane, since, until)"
                + " JOIN hapax.log g ON g.lane = p.lane AND g.number BETWEEN p.since AND p.until LIMIT ?)"
                + " UNION ALL (" + above + ")"
                + " UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
                + " CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)";
    }

    private static String selected(boolean all, String condition) {
        String wanted = all ? "" : "g.topic = ANY (CAST(? AS text[])) AND ";
        return prefixed() + ", g.id, CASE WHEN " + condition + wanted + "octet_length(g.body) <= " + INLINE_BYTES
                + " THEN g.body END";
    }

    /**
     * What one look found.
     *
     * @param anchors what lies at the positions, if it was asked for
     * @param xmin of its snapshot; {@link #NO_XMIN} if no gap was looked at
     * @param wholeGaps whether all that lies in the gaps was found: if not, none may be given up
     */
    record Look(List<ReadMessage> messages, List<StoredMessage> anchors, long xmin, boolean wholeGaps) {}

    /**
     * Looks for messages in the gaps of the lanes and above them, by number within each lane.
     *
     * @param limit at most so many above, and as many in gaps
     * @param perLane at most so many above in one lane
     */
    Look look(Connection connection, List<Lane> lanes, int limit, int perLane) throws SQLException {
        List<Short> gapLanes = new ArrayList<>();
        List<Position.Gap> gaps = new ArrayList<>();
        for (Lane lane : lanes) {
            for (Position.Gap gap : lane.position.gaps()) {
                gapLanes.add(lane.number);
                gaps.add(gap);
            }
        }
        try (PreparedStatement select = connection.prepareStatement(gaps.isEmpty() ? above : withGaps)) {
            int i = 1;
            java.sql.Array wanted = topics == null ? null : connection.createArrayOf("text", topics);
            if (!gaps.isEmpty()) {
                if (wanted != null) {
                    select.setArray(i++, wanted);
                }
                select.setArray(i++, connection.createArrayOf("int2", gapLanes.toArray()));
                select.setArray(
                        i++,
                        longs(connection, gaps.stream().map(Position.Gap::from).toArray()));
                select.setArray(
                        i++,
                        longs(connection, gaps.stream().map(Position.Gap::to).toArray()));
                select.setInt(i++, limit);
            }
            if (wanted != null) {
                select.setArray(i++, wanted);
            }
            select.setArray(
                    i++,
                    connection.createArrayOf(
                            "int2", lanes.stream().map(l -> l.number).toArray()));
            select.setArray(
                    i++, longs(connection, lanes.stream().map(LogReader::above).toArray()));
            select.setArray(
                    i++, longs(connection, lanes.stream().map(LogReader::until).toArray()));
            // What lies at the positions comes on top.
            select.setInt(i++, anchored ? perLane + 1 : perLane);
            select.setInt(i, anchored ? limit + lanes.size() : limit);
            return read(select, limit);
        }
    }

    private static Look read(PreparedStatement select, int limit) throws SQLException {
        List<ReadMessage> messages = new ArrayList<>();
        List<StoredMessage> anchors = new ArrayList<>();
        long xmin = NO_XMIN;
        int inGaps = 0;
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) {
                long kind = row.getLong(KIND_COLUMN);
                if (kind > 0) {
                    xmin = kind;
                } else if (kind == AT_POSITION) {
                    anchors.add(StoredMessage.read(row, 1));
                } else {
                    inGaps += kind == IN_GAP ? 1 : 0;
                    messages.add(StoredMessage.read(row, 1));
                }
            }
        }
        // By number within a lane: what appeared in a gap comes before what lies above it.
        messages.sort(Comparator.comparingInt(ReadMessage::lane).thenComparingLong(ReadMessage::number));
        return new Look(messages, anchors, xmin, inGaps < limit);
    }

    private static long above(Lane lane) {
        return lane.isFull() ? Long.MAX_VALUE : lane.position.high();
    }

    private static long until(Lane lane) {
        long above = above(lane);
        return above > Long.MAX_VALUE - lane.window ? Long.MAX_VALUE : above + lane.window;
    }

    private static java.sql.Array longs(Connection connection, Object[] values) throws SQLException {
        return connection.createArrayOf("int8", values);
    }

    /** Reads a body that was too large to come along. */
    static byte[] body(Connection connection, ReadMessage message) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT body FROM hapax.log WHERE lane = ? AND number = ?")) {
            select.setInt(1, message.lane());
            select.setLong(2, message.number());
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    throw new SQLException("message " + message + " has gone from the log before it was handled");
                }
                return row.getBytes(1);
            }
        }
    }

    private static String prefixed() {
        return "g." + StoredMessage.COLUMNS.replace(", ", ", g.");
    }

    /** How many numbers were drawn in each lane so far. */
    static long[] lastNumbers(Connection connection) throws SQLException {
        long[] last = new long[Lanes.COUNT];
        try (PreparedStatement select = connection.prepareStatement(LAST_NUMBERS);
                ResultSet row = select.executeQuery()) {
            while (row.next()) {
                last[row.getInt(1)] = row.getLong(2);
            }
        }
        return last;
    }
}
