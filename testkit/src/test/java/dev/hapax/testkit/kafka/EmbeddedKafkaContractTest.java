package dev.hapax.testkit.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class EmbeddedKafkaContractTest {
    private static final TopicPartition PARTITION = new TopicPartition("orders", 0);

    @Test
    void records_survive_a_restart_on_the_same_port() throws Exception {
        try (EmbeddedKafka kafka = EmbeddedKafka.start()) {
            kafka.createTopic("orders", 1);
            send(kafka, "one");
            int port = kafka.port();
            kafka.restart();
            send(kafka, "two");
            assertThat(kafka.port()).isEqualTo(port);
            assertThat(read(kafka, 2)).containsExactly("one", "two");
        }
    }

    @Test
    void acknowledged_records_survive_sigkill() throws Exception {
        try (EmbeddedKafka kafka = EmbeddedKafka.builder().inOwnProcess().start()) {
            kafka.createTopic("orders", 1);
            send(kafka, "one");
            kafka.kill9();
            assertThat(kafka.isRunning()).isFalse();
            kafka.restart();
            assertThat(read(kafka, 1)).containsExactly("one");
        }
    }

    @Test
    void data_in_a_directory_of_ones_own_is_kept(@TempDir Path directory) throws Exception {
        Path data = directory.resolve("kafka");
        try (EmbeddedKafka kafka = EmbeddedKafka.builder().directory(data).start()) {
            kafka.createTopic("orders", 1);
            send(kafka, "one");
        }
        try (EmbeddedKafka kafka = EmbeddedKafka.builder().directory(data).start()) {
            assertThat(read(kafka, 1)).containsExactly("one");
        }
    }

    @Test
    void data_of_nobody_is_deleted() {
        Path data;
        try (EmbeddedKafka kafka = EmbeddedKafka.start()) {
            data = kafka.directory();
            assertThatThrownBy(kafka::kill9).hasMessageContaining("runs in this JVM");
        }
        assertThat(Files.exists(data)).isFalse();
    }

    private static void send(EmbeddedKafka kafka, String value) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "acks", "all"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>("orders", value.getBytes(StandardCharsets.UTF_8)))
                    .get();
        }
    }

    private static List<String> read(EmbeddedKafka kafka, int count) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.assign(List.of(PARTITION));
            List<String> values = new ArrayList<>();
            while (values.size() < count) {
                consumer.poll(Duration.ofMillis(100))
                        .forEach(record -> values.add(new String(record.value(), StandardCharsets.UTF_8)));
            }
            return values;
        }
    }
}
