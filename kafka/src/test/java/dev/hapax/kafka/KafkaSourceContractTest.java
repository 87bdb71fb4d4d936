package dev.hapax.kafka;

import static dev.hapax.kafka.SourceFixture.LONG;
import static dev.hapax.kafka.SourceFixture.bytes;
import static dev.hapax.kafka.SourceFixture.insert;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Key;
import dev.hapax.consume.Consumer;
import dev.hapax.consume.Start;
import dev.hapax.kafka.SourceFixture.Order;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A consumer of a topic, a real broker and a real database. */
@Tag("slow")
class KafkaSourceContractTest {

    private SourceFixture fixture;

    @BeforeEach
    void open() {
        fixture = new SourceFixture();
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8})
    void each_record_takes_effect_once_in_the_order_of_its_key(int threads) throws Exception {
        fixture.sendNumbers(0, 2_000);
        try (Consumer running =
                fixture.writing("billing").concurrency(threads).batch(100).start()) {
            fixture.sendNumbers(2_000, 4_000);
            await().atMost(LONG).until(() -> fixture.count() >= 4_000 && fixture.position("billing") == 4_000);
            await().atMost(LONG).until(() -> running.lag().messages() == 0);
        }
        assertThat(fixture.count()).isEqualTo(4_000);
        assertThat(fixture.distinct()).isEqualTo(4_000);
        assertThat(fixture.outOfOrder()).isZero();
        assertThat(fixture.database.queryLong("SELECT count(*) FROM hapax.kafka_position WHERE done <> '{}'"))
                .isZero();
    }

    @Test
    void it_goes_on_where_it_stopped_and_the_offsets_of_its_group_follow() throws Exception {
        fixture.sendNumbers(0, 500);
        try (Consumer running = fixture.writingMany("billing").start()) {
            await().atMost(LONG).until(() -> fixture.count() == 500);
        }
        assertThat(fixture.groupOffsets("billing")).isEqualTo(500);
        fixture.sendNumbers(500, 700);
        try (Consumer running = fixture.writingMany("billing").start()) {
            await().atMost(LONG).until(() -> fixture.count() >= 700);
            await().atMost(LONG).until(() -> fixture.groupOffsets("billing") == 700);
        }
        assertThat(fixture.distinct()).isEqualTo(700);
        assertThat(fixture.count()).isEqualTo(700);
    }

    @Test
    void an_object_is_decoded_by_the_type_in_its_header_and_what_is_known_of_it_arrives() {
        UUID id = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(fixture.topic, 2, bytes("customer-7"), bytes("{\"id\":\"o-1\",\"quantity\":3}"));
        Map.of(
                        "id", id.toString(),
                        "eventType", "order.v1",
                        "hapax-scope", "orders",
                        "hapax-producer", "web",
                        "hapax-key", "o-1",
                        "hapax-key-time", "2026-01-02T03:04:05Z")
                .forEach((name, value) -> record.headers().add(name, bytes(value)));
        fixture.send(record);
        AtomicReference<Order> order = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(1);
        try (Consumer running = fixture.hapax
                .consumer("billing")
                .from(KafkaSource.topic(fixture.topic, fixture.properties()))
                .handle(Order.class, (body, tx) -> {
                    assertThat(tx.message().id()).isEqualTo(id);
                    assertThat(tx.message().messageKey()).isEqualTo("customer-7");
                    assertThat(tx.message().lane()).isEqualTo(2);
                    assertThat(tx.message().number()).isZero();
                    assertThat(tx.message().operation())
                            .isEqualTo(
                                    Key.of("orders", "o-1").producer("web").at(Instant.parse("2026-01-02T03:04:05Z")));
                    assertThat(tx.message().unwrap(ConsumerRecord.class)).isPresent();
                    order.set(body);
                    done.countDown();
                })
                .start()) {
            await().atMost(LONG).until(() -> done.await(10, TimeUnit.MILLISECONDS));
        }
        assertThat(order.get()).isEqualTo(new Order("o-1", 3));
    }

    @Test
    void records_of_aborted_transactions_have_no_effect() throws Exception {
        try (KafkaProducer<byte[], byte[]> transactional = new KafkaProducer<>(
                Map.of("bootstrap.servers", fixture.kafka.bootstrapServers(), "transactional.id", fixture.topic),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            transactional.initTransactions();
            for (int n = 0; n < 20; n++) {
                transactional.beginTransaction();
                transactional
                        .send(new ProducerRecord<>(fixture.topic, 0, bytes("k"), bytes("n" + n)))
                        .get();
                if (n % 2 == 0) {
                    transactional.commitTransaction();
                } else {
                    transactional.abortTransaction();
                }
            }
        }
        try (Consumer running = fixture.writing("billing").start()) {
            await().atMost(LONG).until(() -> fixture.count() == 10);
            // Where a transaction of Kafka ended, there is an offset without a record; tools see no lag all the same.
            await().atMost(LONG)
                    .until(() ->
                            fixture.position("billing") == 40 && running.lag().messages() == 0);
            await().atMost(LONG).until(() -> fixture.groupOffsets("billing") == 40);
        }
        assertThat(fixture.handled("k")).allMatch(body -> Integer.parseInt(body.substring(1)) % 2 == 0);
    }

    @Test
    void what_a_handler_publishes_commits_with_its_effect() throws Exception {
        fixture.sendNumbers(0, 200);
        Set<String> ids = ConcurrentHashMap.newKeySet();
        try (Consumer transform = fixture.consumer("transform")
                        .handleAll(String.class, (deliveries, tx) -> {
                            for (var delivery : deliveries) {
                                tx.of(delivery.key())
                                        .publish(
                                                "billed", delivery.message().messageKey(), "billed " + delivery.body());
                            }
                        })
                        .start();
                Consumer next = fixture.hapax
                        .consumer("next")
                        .topic("billed")
                        .handle(String.class, (body, tx) -> {
                            ids.add(tx.message().id().toString());
                            insert(tx.connection(), tx.message(), body);
                        })
                        .start()) {
            await().atMost(LONG).until(() -> fixture.count() == 200);
        }
        assertThat(fixture.distinct()).isEqualTo(200);
        assertThat(ids).hasSize(200);
    }

    @Test
    void all_topics_of_a_pattern_are_read_also_those_that_come_later() throws Exception {
        fixture.sendNumbers(0, 10);
        String later = fixture.topic + "-later";
        try (Consumer running = fixture.hapax
                .consumer("pattern")
                .from(KafkaSource.matching(Pattern.compile(Pattern.quote(fixture.topic) + ".*"), fixture.properties())
                        .decode(SourceFixture::text))
                .startFrom(Start.NOW)
                .handle(String.class, (body, tx) -> insert(tx.connection(), tx.message(), body))
                .start()) {
            await().atMost(LONG).until(() -> fixture.position("pattern") == 10);
            fixture.kafka.createTopic(later, 1);
            fixture.send(new ProducerRecord<>(later, bytes("k"), bytes("later")));
            fixture.sendNumbers(10, 20);
            await().atMost(LONG).until(() -> fixture.count() == 11);
        }
        assertThat(fixture.handled("k")).containsExactly("later");
    }

    @Test
    void a_new_consumer_starts_where_it_is_told_to() throws Exception {
        fixture.sendNumbers(0, 10);
        try (Consumer now = fixture.writing("now").startFrom(Start.NOW).start()) {
            await().atMost(LONG).until(() -> fixture.position("now") == 10);
        }
        Instant since = Instant.now().plusMillis(1);
        await().until(() -> Instant.now().isAfter(since.plusMillis(5)));
        fixture.sendNumbers(10, 15);
        try (Consumer at = fixture.consumer("at")
                .startFrom(Start.at(since))
                .handle(String.class, (body, tx) -> insert(tx.connection(), tx.message(), "at-" + body))
                .start()) {
            await().atMost(LONG).until(() -> fixture.count() == 5);
        }
        try (Consumer now = fixture.writing("now").startFrom(Start.NOW).start()) {
            await().atMost(LONG).until(() -> fixture.count() == 10);
        }
        assertThat(fixture.distinct()).isEqualTo(10);
    }

    @Test
    void processes_share_the_partitions_and_hand_them_over_without_doing_anything_twice() throws Exception {
        fixture.sendNumbers(0, 1_000);
        try (var other = SourceFixture.open(fixture.pool);
                Consumer one = fixture.writing("shared").batch(20).start()) {
            await().atMost(LONG).until(() -> fixture.count() > 0);
            try (Consumer two = other.consumer("shared")
                    .from(fixture.source())
                    .batch(20)
                    .handle(String.class, (body, tx) -> insert(tx.connection(), tx.message(), body))
                    .start()) {
                fixture.sendNumbers(1_000, 2_000);
                await().atMost(LONG)
                        .until(() ->
                                fixture.database.queryLong("SELECT count(DISTINCT owner) FROM hapax.kafka_position")
                                        == 2);
                fixture.sendNumbers(2_000, 3_000);
                await().atMost(LONG).until(() -> fixture.count() >= 3_000);
            }
            fixture.sendNumbers(3_000, 4_000);
            await().atMost(LONG).until(() -> fixture.count() >= 4_000);
        }
        assertThat(fixture.count()).isEqualTo(4_000);
        assertThat(fixture.distinct()).isEqualTo(4_000);
        assertThat(fixture.outOfOrder()).isZero();
        assertThat(fixture.database.queryLong("SELECT count(*) FROM hapax.kafka_position WHERE owner IS NOT NULL"))
                .isZero();
    }

    @Test
    void the_new_protocol_of_groups_serves_as_well() throws Exception {
        Map<String, Object> properties = fixture.properties();
        properties.put("group.protocol", "consumer");
        properties.remove("session.timeout.ms");
        properties.remove("heartbeat.interval.ms");
        fixture.sendNumbers(0, 500);
        try (Consumer running = fixture.hapax
                .consumer("modern")
                .from(KafkaSource.topic(fixture.topic, properties).decode(SourceFixture::text))
                .handle(String.class, (body, tx) -> insert(tx.connection(), tx.message(), body))
                .start()) {
            await().atMost(LONG).until(() -> fixture.count() == 500);
            fixture.sendNumbers(500, 1_000);
            await().atMost(LONG).until(() -> fixture.count() == 1_000);
        }
        assertThat(fixture.distinct()).isEqualTo(1_000);
    }

    @Test
    void a_paused_consumer_takes_nothing_until_it_is_resumed() throws Exception {
        try (Consumer running = fixture.writing("billing").start()) {
            fixture.sendNumbers(0, 10);
            await().atMost(LONG).until(() -> fixture.count() == 10);
            fixture.hapax.control().pause(dev.hapax.control.Control.Kind.CONSUMER, "billing", "a test", "nobody");
            await().atMost(LONG).until(() -> fixture.hapax.control().list().size() == 1);
            await().during(Duration.ofMillis(1_200)).until(() -> true);
            fixture.sendNumbers(10, 20);
            await().atMost(LONG).until(() -> running.lag().messages() == 10);
            assertThat(fixture.count()).isEqualTo(10);
            fixture.hapax.control().resume(dev.hapax.control.Control.Kind.CONSUMER, "billing");
            await().atMost(LONG).until(() -> fixture.count() == 20);
        }
    }

    @Test
    void what_is_read_ahead_is_bounded_and_all_is_read_in_the_end() throws Exception {
        fixture.sendNumbers(0, 20_000);
        try (Consumer running = fixture.hapax
                .consumer("bounded")
                .from(fixture.source().readAhead(64 << 10))
                .handleAll(String.class, (deliveries, tx) -> SourceFixture.insertAll(tx.connection(), deliveries))
                .start()) {
            await().atMost(LONG).until(() -> fixture.count() >= 20_000);
        }
        assertThat(fixture.distinct()).isEqualTo(20_000);
        assertThat(List.of(fixture.count())).containsExactly(20_000L);
    }
}
