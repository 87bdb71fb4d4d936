package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.consume.Relays.Decision;
import dev.hapax.kafka.KafkaHeaders;
import dev.hapax.kafka.KafkaRelay;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class KafkaPublishDoc {

    private static final Duration LONG = Duration.ofSeconds(60);

    @Test
    void a_relay() throws Exception {
        // tag::broker[]
        EmbeddedKafka kafka = EmbeddedKafka.start();
        kafka.createTopic("shop.orders.placed", 4);
        // end::broker[]
        try (ShopDatabase shop = ShopDatabase.create();
                Hapax hapax = Hapax.on(shop.pool).name("checkout").open()) {
            Map<String, Object> properties = Map.of("bootstrap.servers", kafka.bootstrapServers());
            int replicas = 1;
            // tag::start[]
            KafkaRelay relay = KafkaRelay.of(hapax, "orders-relay")
                    .topic("orders.placed", "shop.orders.placed") // the log's topic, Kafka's topic
                    .producer(properties) // bootstrap.servers, and what your broker asks for
                    .replication(replicas) // what is refused with fewer; 3 unless you say otherwise
                    .start();
            // end::start[]
            hapax.once(Key.of("orders.place", "A-1")).run(tx -> tx.publish("orders.placed", "customer-7", "A-1"));
            ConsumerRecord<byte[], byte[]> record = read(kafka);
            // tag::read[]
            String id = header(record, KafkaHeaders.ID); // the same whenever the operation is applied
            String type = header(record, KafkaHeaders.TYPE);
            String key = header(record, KafkaHeaders.KEY); // of the operation that published it
            // end::read[]
            assertThat(id).hasSize(36);
            assertThat(type).isNotBlank();
            assertThat(key).isEqualTo("A-1");
            // tag::watch[]
            KafkaRelay.State state = relay.state();
            Optional<String> problem = relay.problem(); // what keeps it from publishing
            long behind = relay.lag().messages();
            Duration oldest = relay.lag().oldest();
            // end::watch[]
            assertThat(state).isEqualTo(KafkaRelay.State.RUNNING);
            assertThat(problem).isEmpty();
            assertThat(behind).isNotNegative();
            assertThat(oldest).isGreaterThanOrEqualTo(java.time.Duration.ZERO);
            // tag::decide[]
            int lanes = hapax.relays()
                    .decide("orders-relay", Decision.PUBLISH_MISSING, "operator", "failover at noon, ticket 4711");
            // end::decide[]
            assertThat(lanes).isZero();
            relay.close();
        } finally {
            kafka.close();
        }
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    private static ConsumerRecord<byte[], byte[]> read(EmbeddedKafka kafka) {
        List<TopicPartition> partitions = List.of(
                new TopicPartition("shop.orders.placed", 0),
                new TopicPartition("shop.orders.placed", 1),
                new TopicPartition("shop.orders.placed", 2),
                new TopicPartition("shop.orders.placed", 3));
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "isolation.level", "read_committed"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            List<ConsumerRecord<byte[], byte[]>> found = new java.util.ArrayList<>();
            await().atMost(LONG).pollInSameThread().until(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(found::add);
                return !found.isEmpty();
            });
            return found.getFirst();
        }
    }
}
