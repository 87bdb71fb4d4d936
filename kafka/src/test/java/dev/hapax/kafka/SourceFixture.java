package dev.hapax.kafka;

import dev.hapax.Hapax;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Delivery;
import dev.hapax.json.JsonCodec;
import dev.hapax.log.Message;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** A broker, a topic of the test's own, a plain producer, a database, and a table in which what was handled is counted. */
final class SourceFixture implements AutoCloseable {

    static final Duration LONG = Duration.ofSeconds(60);
    static final int PARTITIONS = 4;

    private static final AtomicInteger NUMBERS = new AtomicInteger();

    final EmbeddedKafka kafka;
    final TestDatabase database;
    final DataSource pool;
    final Hapax hapax;
    final String topic;
    final KafkaProducer<byte[], byte[]> producer;

    SourceFixture() {
        this(EmbeddedKafka.shared());
    }

    SourceFixture(EmbeddedKafka kafka) {
        this.kafka = kafka;
        this.database = EmbeddedDatabase.shared().createDatabase();
        prepare(database);
        this.pool = database.pooled(12);
        this.hapax = open(pool);
        this.topic = "placed-" + NUMBERS.incrementAndGet();
        kafka.createTopic(topic, PARTITIONS);
        this.producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        kafka.bootstrapServers(),
                        // A first batch that comes before its topic's leader is ready must not be overtaken.
                        "max.in.flight.requests.per.connection",
                        1,
                        // What it knows of a broker that was killed is kept, so that no send waits for its return.
                        "metadata.recovery.strategy",
                        "none"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    /** What a message is about. */
    record Order(String id, int quantity) {}

    static final JsonCodec CODEC =
            JsonCodec.builder().type("order.v1", Order.class).build();

    static void prepare(TestDatabase database) {
        Schema.on(database.dataSource()).apply();
        try {
            database.execute(
                    "CREATE TABLE IF NOT EXISTS handled (nth bigserial, topic text NOT NULL, partition int NOT NULL,"
                            + " number bigint NOT NULL, message_key text NOT NULL, body text NOT NULL)");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    static Hapax open(DataSource pool) {
        return Hapax.on(pool).name("shop").codec(CODEC).open();
    }

    Map<String, Object> properties() {
        return properties(kafka.bootstrapServers());
    }

    static Map<String, Object> properties(String servers) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("bootstrap.servers", servers);
        properties.put("metadata.max.age.ms", 500);
        properties.put("heartbeat.interval.ms", 500);
        properties.put("session.timeout.ms", 6_000);
        return properties;
    }

    KafkaSource source() {
        return KafkaSource.topic(topic, properties()).decode(SourceFixture::text);
    }

    static String text(org.apache.kafka.clients.consumer.ConsumerRecord<byte[], byte[]> record) {
        return new String(record.value(), StandardCharsets.UTF_8);
    }

    ConsumerBuilder consumer(String name) {
        return hapax.consumer(name).from(source()).backoff(Duration.ofMillis(20), Duration.ofMillis(100));
    }

    ConsumerBuilder writing(String name) {
        return consumer(name).handle(String.class, (body, tx) -> insert(tx.connection(), tx.message(), body));
    }

    ConsumerBuilder writingMany(String name) {
        return consumer(name).handleAll(String.class, (deliveries, tx) -> insertAll(tx.connection(), deliveries));
    }

    static void insert(Connection connection, Message message, String body) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO handled (topic, partition, number, message_key, body) VALUES (?, ?, ?, ?, ?)")) {
            insert.setString(1, message.topic());
            insert.setInt(2, message.lane());
            insert.setLong(3, message.number());
            insert.setString(4, message.messageKey());
            insert.setString(5, body);
            insert.executeUpdate();
        }
    }

    static void insertAll(Connection connection, List<Delivery<String>> deliveries) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO handled (topic, partition, number, message_key, body) SELECT * FROM"
                        + " unnest(CAST(? AS text[]), CAST(? AS int[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]))")) {
            insert.setArray(
                    1,
                    connection.createArrayOf(
                            "text",
                            deliveries.stream().map(d -> d.message().topic()).toArray()));
            insert.setArray(
                    2,
                    connection.createArrayOf(
                            "int4",
                            deliveries.stream().map(d -> d.message().lane()).toArray()));
            insert.setArray(
                    3,
                    connection.createArrayOf(
                            "int8",
                            deliveries.stream().map(d -> d.message().number()).toArray()));
            insert.setArray(
                    4,
                    connection.createArrayOf(
                            "text",
                            deliveries.stream()
                                    .map(d -> d.message().messageKey())
                                    .toArray()));
            insert.setArray(
                    5,
                    connection.createArrayOf(
                            "text", deliveries.stream().map(Delivery::body).toArray()));
            insert.executeUpdate();
        }
    }

    void send(@Nullable String key, @Nullable String value) {
        send(null, key, value);
    }

    void send(@Nullable Integer partition, @Nullable String key, @Nullable String value) {
        send(new ProducerRecord<>(topic, partition, bytes(key), bytes(value)));
    }

    void send(ProducerRecord<byte[], byte[]> record) {
        producer.send(record, (metadata, failure) -> {
            if (failure != null) {
                throw new IllegalStateException("a record could not be sent", failure);
            }
        });
    }

    static byte @Nullable [] bytes(@Nullable String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    /** Records with the bodies from..to-1, of twenty keys. */
    void sendNumbers(int from, int to) {
        for (int n = from; n < to; n++) {
            send("key-" + n % 20, Integer.toString(n));
        }
        producer.flush();
    }

    long count() throws SQLException {
        return database.queryLong("SELECT count(*) FROM handled");
    }

    long distinct() throws SQLException {
        return database.queryLong("SELECT count(DISTINCT body) FROM handled");
    }

    /** The rows of a key in the target, in the order of their commits. */
    List<String> handled(String messageKey) throws SQLException {
        List<String> bodies = new ArrayList<>();
        try (Connection connection = pool.getConnection();
                PreparedStatement select =
                        connection.prepareStatement("SELECT body FROM handled WHERE message_key = ? ORDER BY nth")) {
            select.setString(1, messageKey);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    bodies.add(row.getString(1));
                }
            }
        }
        return bodies;
    }

    /** How many rows come after a later one of their key. */
    long outOfOrder() throws SQLException {
        return database.queryLong(
                "SELECT count(*) FROM (SELECT number < lag(number) OVER (PARTITION BY partition, message_key ORDER BY nth) AS back"
                        + " FROM handled) o WHERE back");
    }

    long held(String state) throws SQLException {
        return database.queryLong("SELECT count(*) FROM hapax.held WHERE state = '" + state + "'");
    }

    /** The sum of the consumer's positions. */
    long position(String consumer) throws SQLException {
        return database.queryLong(
                "SELECT coalesce(sum(next_offset), 0) FROM hapax.kafka_position WHERE consumer = '" + consumer + "'");
    }

    /** The sum of the offsets that the group has in Kafka, as a tool would ask for them. */
    long groupOffsets(String group) {
        try {
            return kafka
                    .admin()
                    .listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .entrySet()
                    .stream()
                    .filter(entry ->
                            entry.getValue() != null && entry.getKey().topic().equals(topic))
                    .mapToLong(entry -> entry.getValue().offset())
                    .sum();
        } catch (InterruptedException | java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException("the group's offsets could not be asked for", e);
        }
    }

    List<TopicPartition> partitions() {
        List<TopicPartition> all = new ArrayList<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            all.add(new TopicPartition(topic, partition));
        }
        return all;
    }

    @Override
    public void close() {
        hapax.close();
        producer.close(Duration.ofSeconds(5));
        database.close();
    }
}
