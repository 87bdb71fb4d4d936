package dev.hapax.kafka;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A database with its log, a broker, and topics of the test's own; what is published is counted on the topic, by a plain consumer of committed records. */
final class RelayFixture implements AutoCloseable {

    static final String PLACED = "orders.placed";
    static final Duration LONG = Duration.ofSeconds(60);
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    final EmbeddedKafka kafka;
    final TestDatabase database;
    final DataSource pool;
    final Hapax hapax;
    final String topic;
    final String positions;
    private final List<KafkaRelay> relays = new ArrayList<>();

    RelayFixture() {
        this(EmbeddedKafka.shared());
    }

    RelayFixture(EmbeddedKafka kafka) {
        this.kafka = kafka;
        this.database = EmbeddedDatabase.shared().createDatabase();
        Schema.on(database.dataSource()).apply();
        this.pool = database.pooled(10);
        this.hapax = Hapax.on(pool).name("shop").open();
        int number = NUMBERS.incrementAndGet();
        this.topic = "orders-" + number;
        this.positions = "positions-" + number;
        kafka.createTopic(topic, 4);
    }

    KafkaRelayBuilder relay() {
        return relay(hapax);
    }

    KafkaRelayBuilder relay(Hapax service) {
        return KafkaRelay.of(service, "orders-relay")
                .topic(PLACED, topic)
                .producer(Map.of("bootstrap.servers", kafka.bootstrapServers()))
                .positionTopic(positions)
                .lease(Duration.ofSeconds(1))
                .replication(1);
    }

    KafkaRelay start() {
        return start(relay());
    }

    KafkaRelay start(KafkaRelayBuilder builder) {
        KafkaRelay relay = builder.start();
        relays.add(relay);
        return relay;
    }

    void publish(String messageKey, String body) {
        publishTo(PLACED, messageKey, body);
    }

    void publishTo(String logTopic, String messageKey, String body) {
        hapax.once(Key.generate("orders")).run(tx -> tx.publish(logTopic, messageKey, body));
    }

    /** Many messages, fifty in a transaction; bodies are numbers from..to-1, keys one of 20. */
    void publishNumbers(int from, int to) {
        for (int begin = from; begin < to; begin += 50) {
            int first = begin;
            hapax.once(Key.generate("orders")).run(tx -> {
                for (int n = first; n < Math.min(to, first + 50); n++) {
                    tx.publish(PLACED, "key-" + n % 20, Integer.toString(n));
                }
            });
        }
    }

    List<ConsumerRecord<byte[], byte[]>> records() {
        return records(kafka, topic, 4);
    }

    /** All committed records of a topic, up to its end as it is now. */
    static List<ConsumerRecord<byte[], byte[]>> records(EmbeddedKafka kafka, String topic, int partitions) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("bootstrap.servers", kafka.bootstrapServers());
        properties.put("isolation.level", "read_committed");
        properties.put("auto.offset.reset", "earliest");
        List<TopicPartition> all = new ArrayList<>();
        for (int partition = 0; partition < partitions; partition++) {
            all.add(new TopicPartition(topic, partition));
        }
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(50)).forEach(records::add);
            }
            return records;
        }
    }

    static String value(ConsumerRecord<byte[], byte[]> record) {
        return new String(record.value(), StandardCharsets.UTF_8);
    }

    static String key(ConsumerRecord<byte[], byte[]> record) {
        return new String(record.key(), StandardCharsets.UTF_8);
    }

    static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    List<String> values() {
        return records().stream().map(RelayFixture::value).toList();
    }

    @Override
    public void close() {
        relays.forEach(KafkaRelay::close);
        hapax.close();
        database.close();
    }
}
