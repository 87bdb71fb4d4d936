package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.consume.Consumer;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Consumers.Consequences;
import dev.hapax.consume.Delivery;
import dev.hapax.consume.Move;
import dev.hapax.consume.SourcePosition;
import dev.hapax.consume.Start;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.kafka.KafkaPlaces;
import dev.hapax.kafka.KafkaSource;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Consumers of Kafka. The broker of these is away: they start all the same, and wait for it. */
class KafkaConsumeDoc {

    private static final Map<String, Object> PROPERTIES = Map.of("bootstrap.servers", "127.0.0.1:1");

    private static void insertAll(Connection connection, List<Delivery<OrderPlaced>> deliveries) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO invoices (order_id) SELECT * FROM unnest(CAST(? AS text[]))")) {
            insert.setArray(
                    1,
                    connection.createArrayOf(
                            "text",
                            deliveries.stream().map(d -> d.body().order()).toArray()));
            insert.executeUpdate();
        }
    }

    @Test
    void a_consumer_of_a_topic() throws SQLException {
        try (ShopDatabase shop = ShopDatabase.create();
                Hapax hapax = shop.service().open()) {
            Map<String, Object> kafka = PROPERTIES;
            Ledger ledger = new Ledger();
            // tag::handle[]
            Consumer billing = hapax.consumer("billing")
                    .from(KafkaSource.topic("orders.placed", kafka))
                    .handle(OrderPlaced.class, (placed, tx) -> ledger.insert(tx.connection(), placed))
                    .quarantineAfter(5)
                    .start();
            // end::handle[]
            assertThat(billing.lag().messages()).isZero();
            assertThat(billing.stop(Duration.ofSeconds(20))).isTrue();
        }
    }

    @Test
    @Tag("slow")
    void going_on_elsewhere() throws SQLException {
        try (EmbeddedKafka broker = EmbeddedKafka.start();
                ShopDatabase shop = ShopDatabase.create();
                Hapax hapax = shop.service().open()) {
            broker.createTopic("orders.placed", 1);
            Map<String, Object> kafka = Map.of("bootstrap.servers", broker.bootstrapServers());
            try (Consumer billing = hapax.consumer("billing")
                    .from(KafkaSource.topic("orders.placed", kafka))
                    .handle(OrderPlaced.class, (placed, tx) -> {})
                    .deduplicateById()
                    .start()) {
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> !hapax.consumers().positions("billing").isEmpty());
            }
            // tag::replay[]
            List<SourcePartition> partitions = hapax.consumers().positions("billing").stream()
                    .map(SourcePosition::partition)
                    .toList();
            KafkaPlaces.Found noon;
            try (KafkaPlaces places = KafkaPlaces.at(kafka)) {
                noon = places.find(partitions, Start.at(Instant.parse("2026-03-01T12:00:00Z")));
            }
            // Nothing is moved if a message would be applied twice, or never.
            Optional<Move> move =
                    hapax.consumers().replay("billing", noon.numbers(), noon.topics(), Consequences.REFUSE);
            // end::replay[]
            assertThat(move.orElseThrow().steps()).isEmpty();
        }
    }

    @Test
    void the_settings() throws SQLException {
        try (ShopDatabase shop = ShopDatabase.create();
                Hapax hapax = shop.service().open()) {
            Map<String, Object> kafka = PROPERTIES;
            ConsumerBuilder many = hapax.consumer("many").from(KafkaSource.topic("orders.placed", kafka));
            // tag::many[]
            many.handleAll(OrderPlaced.class, (deliveries, tx) -> insertAll(tx.connection(), deliveries));
            // end::many[]
            ConsumerBuilder keyed = hapax.consumer("keyed").from(KafkaSource.topic("orders.placed", kafka));
            // tag::deduplicate[]
            keyed.deduplicateBy(message -> Key.of("billing.invoice", message.messageKey()));
            // end::deduplicate[]
            // tag::decode[]
            KafkaSource lines = KafkaSource.topic("lines", kafka)
                    .decode((ConsumerRecord<byte[], byte[]> line) -> new String(line.value(), StandardCharsets.UTF_8));
            // end::decode[]
            assertThat(lines.groupId("many")).isEqualTo("many");
        }
    }
}
