package dev.hapax.benchmarks;

import dev.hapax.Hapax;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Delivery;
import dev.hapax.kafka.KafkaHeaders;
import dev.hapax.kafka.KafkaSource;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Numbered records of a topic, and the effect that each has in the database: both sides write it by the same statement. */
final class TopicRecords {

    static final int PARTITIONS = 4;

    private static final int KEYS = 1_000;

    private TopicRecords() {}

    static void createTable(Lab lab) throws SQLException {
        lab.execute("CREATE TABLE bench.record_effect (partition int NOT NULL, number bigint NOT NULL,"
                + " message_key text NOT NULL, body bytea NOT NULL)");
    }

    /** Records with an id, a key of a thousand, and 200 bytes of body. */
    static void fill(EmbeddedKafka kafka, String topic, int count) {
        kafka.createTopic(topic, PARTITIONS);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "linger.ms", 5, "batch.size", 128 << 10),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int number = 0; number < count; number++) {
                ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                        topic, number % PARTITIONS, utf8("customer-" + number % KEYS), Messages.body(number));
                record.headers().add(KafkaHeaders.ID, utf8(Ids.next()));
                producer.send(record, (metadata, failure) -> {
                    if (failure != null) {
                        throw new WrongRows("a record could not be written: " + failure);
                    }
                });
            }
        }
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A consumer that writes the effects of a batch together. */
    static ConsumerBuilder consumer(Hapax hapax, EmbeddedKafka kafka, String topic, String name, Runnable before) {
        return hapax.consumer(name)
                .from(KafkaSource.topic(topic, Map.of("bootstrap.servers", kafka.bootstrapServers()))
                        .bytes())
                .handleAll(byte[].class, (deliveries, tx) -> {
                    before.run();
                    insertDeliveries(tx.connection(), deliveries);
                });
    }

    static void insertDeliveries(Connection connection, List<Delivery<byte[]>> deliveries) throws SQLException {
        insert(
                connection,
                deliveries.size(),
                i -> deliveries.get(i).message().lane(),
                i -> deliveries.get(i).message().number(),
                i -> deliveries.get(i).message().messageKey(),
                i -> deliveries.get(i).body());
    }

    static void insertRecords(Connection connection, List<ConsumerRecord<byte[], byte[]>> records) throws SQLException {
        insert(
                connection,
                records.size(),
                i -> records.get(i).partition(),
                i -> records.get(i).offset(),
                i -> new String(records.get(i).key(), StandardCharsets.UTF_8),
                i -> records.get(i).value());
    }

    private static void insert(
            Connection connection,
            int count,
            IntFunction<Integer> partition,
            IntFunction<Long> number,
            IntFunction<String> messageKey,
            IntFunction<byte[]> body)
            throws SQLException {
        Integer[] partitions = new Integer[count];
        Long[] numbers = new Long[count];
        String[] keys = new String[count];
        byte[][] bodies = new byte[count][];
        for (int i = 0; i < count; i++) {
            partitions[i] = partition.apply(i);
            numbers[i] = number.apply(i);
            keys[i] = messageKey.apply(i);
            bodies[i] = body.apply(i);
        }
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO bench.record_effect (partition, number, message_key, body)"
                        + " SELECT * FROM unnest(CAST(? AS int[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bytea[]))")) {
            insert.setArray(1, connection.createArrayOf("int4", partitions));
            insert.setArray(2, connection.createArrayOf("int8", numbers));
            insert.setArray(3, connection.createArrayOf("text", keys));
            insert.setArray(4, connection.createArrayOf("bytea", bodies));
            insert.executeUpdate();
        }
    }

    /** Each record has its effect, once. */
    static void check(Lab lab, long records) throws SQLException {
        // Without statistics the server takes minutes to tell a million apart.
        lab.execute("ANALYZE bench.record_effect");
        WrongRows.unlessEqual("effects", records, lab.number("SELECT count(*) FROM bench.record_effect"));
        WrongRows.unlessEqual(
                "records that had an effect",
                records,
                lab.number("SELECT count(*) FROM (SELECT DISTINCT partition, number FROM bench.record_effect) d"));
    }
}
