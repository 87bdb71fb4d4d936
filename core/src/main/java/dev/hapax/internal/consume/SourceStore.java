package dev.hapax.internal.consume;

import dev.hapax.consume.source.SourcePartition;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * All SQL on positions in partitions of a source. Who should read a partition is the broker's business; that nobody commits what another has taken over is decided by the epoch, in the statement that
 * moves the position, in the transaction of the effects.
 */
final class SourceStore {

    /** All below is done: the range of what is done that the position lies in, if any, ends there. */
    private static final String NEXT =
            "coalesce((SELECT upper(r) FROM unnest(p.done + v.moved) r WHERE r @> p.next_offset), p.next_offset)";

    /**
     * What a transaction has done is added to what others have. Whatever of it was done before makes it change nothing: a commit of ours that went through unheard, or another's. The row is looked for where it
     * was left, as those of lanes are.
     */
    private static final String MOVE = "UPDATE hapax.kafka_position p SET next_offset = " + NEXT
            + ", done = (p.done + v.moved) - int8multirange(int8range(NULL, " + NEXT + ")),"
            + " moved_at = clock_timestamp(), deaths = 0, end_offset = v.seen"
            + " FROM (SELECT id, epoch, CAST(moved AS int8multirange) AS moved, seen, place"
            + " FROM unnest(CAST(? AS int[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS tid[])) AS u (id, epoch, moved, seen, place)) v"
            + " WHERE p.id = v.id AND p.epoch = v.epoch AND NOT p.done && v.moved AND coalesce(lower(v.moved) >= p.next_offset, true)";

    private static final String MOVED = " RETURNING p.id, p.next_offset, CAST(p.ctid AS text)";

    private static final String TAKE =
            "UPDATE hapax.kafka_position SET epoch = epoch + 1, owner = ?, group_id = ?, deduplicates = ?, topic_id = coalesce(topic_id, ?),"
                    + " deaths = CASE WHEN owner IS NULL OR owner = ? THEN deaths ELSE least(deaths + 1, 30000) END"
                    + " WHERE id = (SELECT q.id FROM hapax.kafka_position q WHERE q.consumer = ? AND q.topic = ? AND q.partition = ?";

    /** A row that is locked is passed over: its owner may stand still in the middle of its commit, and whoever waited for it would neither read nor keep the other partitions meanwhile. */
    private static final String TAKEN = " FOR UPDATE SKIP LOCKED)"
            + " RETURNING id, epoch, next_offset, CAST(done AS text), topic_id, stopped, deaths";

    private final String consumer;
    private final String node;
    private final String group;
    private final boolean deduplicates;

    SourceStore(String consumer, String node, String group, boolean deduplicates) {
        this.consumer = consumer;
        this.node = node;
        this.group = group;
        this.deduplicates = deduplicates;
    }

    /** Which positions a consumer has. */
    record Known(
            Map<String, List<Integer>> partitions, @Nullable Instant since) {

        boolean has(SourcePartition partition) {
            return partitions.getOrDefault(partition.topic(), List.of()).contains(partition.partition());
        }
    }

    Known known(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT topic, partition, min(created_at) OVER () FROM hapax.kafka_position WHERE consumer = ?")) {
            select.setString(1, consumer);
            Map<String, List<Integer>> partitions = new HashMap<>();
            Instant since = null;
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    partitions
                            .computeIfAbsent(row.getString(1), t -> new ArrayList<>())
                            .add(row.getInt(2));
                    since = row.getObject(3, OffsetDateTime.class).toInstant();
                }
            }
            return new Known(partitions, since);
        }
    }

    /** Creates positions that are not there yet: all that are known of a topic in one statement, so that no process sees a part of them. */
    void create(Connection connection, String topic, UUID identity, Map<SourcePartition, Long> starts)
            throws SQLException {
        List<SourcePartition> partitions = List.copyOf(starts.keySet());
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO hapax.kafka_position (consumer, topic, partition, next_offset, topic_id, group_id, deduplicates)"
                        + " SELECT ?, ?, u.partition, u.next_offset, ?, ?, ? FROM unnest(CAST(? AS int[]), CAST(? AS bigint[])) AS u (partition, next_offset)"
                        + " ORDER BY 3 ON CONFLICT (consumer, topic, partition) DO NOTHING")) {
            insert.setString(1, consumer);
            insert.setString(2, topic);
            insert.setObject(3, identity);
            insert.setString(4, group);
            insert.setBoolean(5, deduplicates);
            insert.setArray(
                    6,
                    array(
                            connection,
                            "int4",
                            partitions.size(),
                            i -> partitions.get(i).partition()));
            insert.setArray(7, array(connection, "int8", partitions.size(), i -> starts.get(partitions.get(i))));
            insert.executeUpdate();
        }
    }

    /**
     * What was taken.
     *
     * @param identity of the topic that the position belongs to
     * @param stopped why it must not be read; null if it may
     * @param deaths takeovers since the position last moved
     */
    record Taken(
            Partition partition,
            @Nullable UUID identity,
            @Nullable String stopped,
            int deaths) {}

    /**
     * Takes a partition, with the position that its former owner left.
     *
     * @param identity what the topic is at the moment
     * @param fresh whether the broker has just given it to this process; if not, it must still be ours
     * @return null if there is no such position, its row is locked, or another process has taken it over
     */
    @Nullable
    Taken take(Connection connection, SourcePartition partition, UUID identity, boolean fresh) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(TAKE + (fresh ? "" : " AND q.owner = ?") + TAKEN)) {
            update.setString(1, node);
            update.setString(2, group);
            update.setBoolean(3, deduplicates);
            update.setObject(4, identity);
            update.setString(5, node);
            update.setString(6, consumer);
            update.setString(7, partition.topic());
            update.setInt(8, partition.partition());
            if (!fresh) {
                update.setString(9, node);
            }
            try (ResultSet row = update.executeQuery()) {
                if (!row.next()) {
                    return null;
                }
                Partition taken =
                        new Partition(partition, row.getInt(1), row.getLong(2), row.getLong(3), row.getString(4));
                return new Taken(taken, row.getObject(5, UUID.class), row.getString(6), row.getInt(7));
            }
        }
    }

    /**
     * Adds to what is done in partitions, if they are still ours and nothing of it was done before. Inside the transaction of the effects, after them, and before messages are written.
     *
     * @return whether it was added everywhere; if not, the transaction must be rolled back
     */
    boolean move(Connection connection, List<Move> moves) throws SQLException {
        List<Move> missing = moves;
        if (moves.stream().anyMatch(move -> move.partition.place != null)) {
            missing = move(connection, MOVE + " AND p.ctid = v.place" + MOVED, missing);
        }
        // Another worker has moved the row, or nobody knows yet where it is.
        return missing.isEmpty() || move(connection, MOVE + MOVED, missing).isEmpty();
    }

    /** What one transaction gets done in a partition. */
    static final class Move {

        final Partition partition;
        final Ranges ranges = new Ranges();
        private long next;
        private @Nullable String place;

        Move(Partition partition) {
            this.partition = partition;
        }

        /** The transaction was committed. */
        void committed() {
            partition.place = place;
            partition.next.accumulateAndGet(next, Math::max);
        }
    }

    private static List<Move> move(Connection connection, String sql, List<Move> moves) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            int count = moves.size();
            update.setArray(1, array(connection, "int4", count, i -> moves.get(i).partition.row));
            update.setArray(2, array(connection, "int8", count, i -> moves.get(i).partition.epoch));
            update.setArray(
                    3, array(connection, "text", count, i -> moves.get(i).ranges.toString()));
            update.setArray(4, array(connection, "int8", count, i -> moves.get(i).partition.end));
            update.setArray(5, array(connection, "tid", count, i -> moves.get(i).partition.place));
            List<Move> missing = new ArrayList<>(moves);
            try (ResultSet row = update.executeQuery()) {
                while (row.next()) {
                    int id = row.getInt(1);
                    for (Move move : moves) {
                        if (move.partition.row == id) {
                            move.next = row.getLong(2);
                            move.place = row.getString(3);
                            missing.remove(move);
                        }
                    }
                }
            }
            return missing;
        }
    }

    private static Array array(Connection connection, String type, int size, IntFunction<@Nullable Object> value)
            throws SQLException {
        @Nullable Object[] values = new Object[size];
        for (int i = 0; i < size; i++) {
            values[i] = value.apply(i);
        }
        return connection.createArrayOf(type, values);
    }

    /** Gives a partition back, if it is still ours. The epoch grows, so that a batch that is still in flight here is not committed after this. */
    void release(Connection connection, Partition partition) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.kafka_position SET epoch = epoch + 1, owner = NULL, deaths = 0 WHERE id = ? AND epoch = ?")) {
            update.setInt(1, partition.row);
            update.setLong(2, partition.epoch);
            update.executeUpdate();
        }
    }

    /** Notes why a partition is not read any more, until an operator says where to go on. */
    void stop(Connection connection, Partition partition, String reason) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE hapax.kafka_position SET stopped = ? WHERE id = ? AND epoch = ?")) {
            update.setString(1, HeldStore.clean(reason.substring(0, Math.min(reason.length(), 1_000))));
            update.setInt(2, partition.row);
            update.setLong(3, partition.epoch);
            update.executeUpdate();
        }
    }

    /**
     * A position as it is stored.
     *
     * @param ours whether this process is its owner
     */
    record Row(long epoch, long next, boolean ours, boolean stopped) {}

    /** All positions of the consumer. */
    Map<SourcePartition, Row> rows(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT topic, partition, epoch, next_offset, coalesce(owner = ?, false), stopped IS NOT NULL"
                        + " FROM hapax.kafka_position WHERE consumer = ?")) {
            select.setString(1, node);
            select.setString(2, consumer);
            Map<SourcePartition, Row> rows = new HashMap<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    rows.put(
                            new SourcePartition(row.getString(1), row.getInt(2)),
                            new Row(row.getLong(3), row.getLong(4), row.getBoolean(5), row.getBoolean(6)));
                }
            }
            return rows;
        }
    }
}
