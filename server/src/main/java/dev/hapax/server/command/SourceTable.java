package dev.hapax.server.command;

import dev.hapax.consume.source.SourcePartition;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads {@code hapax.kafka_position}, also for a role that may change nothing. */
final class SourceTable {

    private static final String SELECT = """
            SELECT p.consumer, p.topic, p.partition, p.next_offset, p.end_offset,
                   greatest(0, p.end_offset - p.next_offset - coalesce((SELECT sum(upper(r) - lower(r)) FROM unnest(p.done) r), 0)) AS behind,
                   extract(epoch FROM clock_timestamp() - p.moved_at) AS moved, p.deaths, p.owner, p.stopped
            FROM hapax.kafka_position p
            WHERE CAST(? AS text) IS NULL OR p.consumer = ?
            ORDER BY p.consumer, p.topic, p.partition""";

    private SourceTable() {}

    /**
     * How far a consumer has come in one partition of its source.
     *
     * @param next the first offset that is not done
     * @param end the end of the partition
     * @param behind offsets that are not done
     * @param moved seconds since the position last moved
     * @param deaths takeovers since then
     * @param owner the process that has it, or had it last; null if it gave it back
     * @param stopped why it is not read until somebody says where to go on; null if it is
     */
    record Partition(
            String consumer,
            SourcePartition name,
            long next,
            long end,
            long behind,
            double moved,
            int deaths,
            @Nullable String owner,
            @Nullable String stopped) {

        String topic() {
            return name.topic();
        }

        int partition() {
            return name.partition();
        }

        /** As the broker says that it ends. */
        Partition endingAt(long other) {
            long more = other - Math.max(end, next);
            return new Partition(
                    consumer, name, next, other, Math.max(0, behind + more), moved, deaths, owner, stopped);
        }
    }

    /** All partitions of all consumers, or of one. */
    static List<Partition> partitions(Connection connection, @Nullable String consumer) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(SELECT)) {
            select.setString(1, consumer);
            select.setString(2, consumer);
            List<Partition> partitions = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    partitions.add(new Partition(
                            row.getString(1),
                            new SourcePartition(row.getString(2), row.getInt(3)),
                            row.getLong(4),
                            row.getLong(5),
                            row.getLong(6),
                            row.getDouble(7),
                            row.getInt(8),
                            row.getString(9),
                            row.getString(10)));
                }
            }
            return partitions;
        }
    }
}
