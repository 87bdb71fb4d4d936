package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.consume.Consumer;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Delivery;
import dev.hapax.kafka.KafkaSource;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
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
