package dev.hapax.internal.consume;

import dev.hapax.Key;
import dev.hapax.consume.source.KeptRecord;
import dev.hapax.consume.source.Source;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.consume.source.SourceRecord;
import dev.hapax.internal.log.Lanes;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Held messages of a consumer of a source: the records are kept whole. */
final class SourceHeld extends HeldStore {

    private static final String KEPT =
            "message_id, lane, partition, number, topic, message_key, type, scope, producer, key, key_time, trace, published_at, body, envelope";

    private static final String INSERT_FAILED = "INSERT INTO hapax.held (consumer, state, attempts, next_at, reason, "
            + KEPT
            + ") VALUES (?, ?, ?, clock_timestamp() + make_interval(secs => ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    private static final String INSERT_WAITING = "INSERT INTO hapax.held (consumer, state, attempts, next_at, " + KEPT
            + ") SELECT ?, CASE WHEN NOT ? OR row_number() OVER (PARTITION BY w.lane, w.message_key ORDER BY w.number) = 1"
            + " AND NOT EXISTS (SELECT FROM hapax.held h WHERE h.consumer = ? AND h.lane = w.lane AND h.message_key = w.message_key)"
            + " THEN 'RETRY' ELSE 'WAITING' END, 0, clock_timestamp(), w.*"
            + " FROM unnest(CAST(? AS uuid[]), CAST(? AS int[]), CAST(? AS int[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]),"
            + " CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS timestamptz[]), CAST(? AS text[]), CAST(? AS timestamptz[]), CAST(? AS bytea[]), CAST(? AS bytea[]))"
            + " AS w (" + KEPT + ")";

    private final Source source;

    SourceHeld(String consumer, Source source) {
        super(
                consumer,
                "SELECT FROM hapax.kafka_position p WHERE p.consumer = ? AND p.id = ? / " + Lanes.COUNT
                        + " AND p.epoch = ?");
        this.source = source;
    }

    @Override
    void insertFailed(Connection connection, ReadMessage message, Failure failure) throws SQLException {
        StreamMessage read = (StreamMessage) message;
        Key operation = read.operation();
        try (PreparedStatement insert = connection.prepareStatement(INSERT_FAILED)) {
            bindFailure(insert, consumer, failure);
            insert.setObject(6, read.id());
            insert.setInt(7, read.heldLane());
            insert.setInt(8, read.lane());
            insert.setLong(9, read.number());
            insert.setString(10, read.topic());
            insert.setString(11, read.messageKey());
            insert.setString(12, read.type());
            insert.setString(13, operation.scope());
            insert.setString(14, operation.producer().orElse(operation.scope()));
            insert.setString(15, operation.id());
            insert.setObject(16, read.operationTime().map(SourceHeld::stored).orElse(null));
            insert.setString(17, read.traceparent().orElse(null));
            insert.setObject(18, stored(read.publishedAt()));
            insert.setBytes(19, read.body());
            insert.setBytes(20, read.record().envelope());
            insert.executeUpdate();
        }
    }

    private static OffsetDateTime stored(Instant instant) {
        return OffsetDateTime.ofInstant(instant, ZoneOffset.UTC);
    }

    @Override
    void insertWaiting(Connection connection, List<ReadMessage> messages, boolean inOrder) throws SQLException {
        if (messages.isEmpty()) {
            return;
        }
        try (PreparedStatement insert = connection.prepareStatement(INSERT_WAITING)) {
            insert.setString(1, consumer);
            insert.setBoolean(2, inOrder);
            insert.setString(3, consumer);
            Columns columns = new Columns(connection, messages);
            insert.setArray(4, columns.of("uuid", ReadMessage::id));
            insert.setArray(5, columns.of("int4", ReadMessage::heldLane));
            insert.setArray(6, columns.of("int4", ReadMessage::lane));
            insert.setArray(7, columns.of("int8", ReadMessage::number));
            insert.setArray(8, columns.of("text", ReadMessage::topic));
            insert.setArray(9, columns.of("text", ReadMessage::messageKey));
            insert.setArray(10, columns.of("text", ReadMessage::type));
            insert.setArray(11, columns.of("text", m -> m.operation().scope()));
            insert.setArray(
                    12,
                    columns.of(
                            "text",
                            m -> m.operation().producer().orElse(m.operation().scope())));
            insert.setArray(13, columns.of("text", m -> m.operation().id()));
            insert.setArray(
                    14,
                    columns.of(
                            "text",
                            m -> m.operationTime().map(Instant::toString).orElse(null)));
            insert.setArray(15, columns.of("text", m -> m.traceparent().orElse(null)));
            insert.setArray(16, columns.of("text", m -> m.publishedAt().toString()));
            insert.setArray(
                    17,
                    connection.createArrayOf(
                            "bytea", messages.stream().map(ReadMessage::body).toArray(byte[][]::new)));
            insert.setArray(
                    18,
                    connection.createArrayOf(
                            "bytea",
                            messages.stream()
                                    .map(m -> ((StreamMessage) m).record().envelope())
                                    .toArray(byte[][]::new)));
            insert.executeUpdate();
        }
    }

    /** Messages, column by column. */
    private record Columns(Connection connection, List<ReadMessage> messages) {

        Array of(String type, Function<ReadMessage, @Nullable Object> value) throws SQLException {
            List<@Nullable Object> values = new ArrayList<>(messages.size());
            for (ReadMessage message : messages) {
                values.add(value.apply(message));
            }
            return connection.createArrayOf(type, values.toArray());
        }
    }

    @Override
    String columns(String body) {
        return super.columns(body) + ", partition, envelope";
    }

    @Override
    ReadMessage message(ResultSet row, int attempt) throws SQLException {
        int partition = row.getInt("partition");
        byte[] envelope = row.getBytes("envelope");
        return StoredMessage.read(row, attempt, new StoredMessage.Origin() {
            @Override
            public int partition() {
                return partition;
            }

            @Override
            public SourceRecord restore(StoredMessage message) {
                return source.restore(new KeptRecord(
                        new SourcePartition(message.topic(), partition),
                        message.number(),
                        message.publishedAt(),
                        message.body(),
                        envelope));
            }
        });
    }
}
