package dev.hapax.kafka;

import static dev.hapax.kafka.SourceFixture.LONG;
import static dev.hapax.kafka.SourceFixture.bytes;
import static dev.hapax.kafka.SourceFixture.insert;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Consumer;
import dev.hapax.kafka.SourceFixture.Order;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What must not go unseen, and must not be done twice for it. */
@Tag("slow")
class SourceFailureContractTest {

    private SourceFixture fixture;

    @BeforeEach
    void open() {
        fixture = new SourceFixture();
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void a_poison_record_is_set_aside_with_its_headers_its_key_waits_and_the_others_go_on() throws Exception {
        ProducerRecord<byte[], byte[]> poison = new ProducerRecord<>(fixture.topic, 0, bytes("a"), bytes("poison"));
        poison.headers().add("tenant", bytes("blue"));
        fixture.send(poison);
        for (int n = 1; n <= 20; n++) {
            fixture.send(0, n % 2 == 0 ? "a" : "b", "m" + n);
        }
        Set<String> broken = ConcurrentHashMap.newKeySet();
        broken.add("poison");
        try (Consumer running = fixture.consumer("billing")
                .quarantineAfter(2)
                .handleAll(String.class, (deliveries, tx) -> {
                    SourceFixture.insertAll(tx.connection(), deliveries);
                    if (deliveries.stream().anyMatch(d -> broken.contains(d.body()))) {
                        throw new IllegalStateException("it fails");
                    }
                })
                .start()) {
            await().atMost(LONG)
                    .until(() ->
                            fixture.count() == 10 && fixture.held("QUARANTINED") == 1 && fixture.held("WAITING") == 10);
            assertThat(fixture.handled("a")).isEmpty();
            assertThat(
                            fixture.database.queryLong(
                                    "SELECT count(*) FROM hapax.held WHERE body = 'poison' AND position('tenant' IN encode(envelope, 'escape')) > 0 AND partition = 0 AND number = 0"))
                    .isEqualTo(1);
            broken.clear();
            assertThat(fixture.hapax.quarantine().retryAll("billing")).isEqualTo(1);
            await().atMost(LONG).until(() -> fixture.count() == 21);
        }
        assertThat(fixture.handled("a"))
                .containsExactly("poison", "m2", "m4", "m6", "m8", "m10", "m12", "m14", "m16", "m18", "m20");
        assertThat(fixture.distinct()).isEqualTo(21);
    }

    @Test
    void what_nobody_can_decode_is_set_aside_at_once_and_whole() throws Exception {
        fixture.send("no-type", "plain");
        fixture.send("tombstone", null);
        ProducerRecord<byte[], byte[]> unknown = new ProducerRecord<>(fixture.topic, bytes("unknown"), bytes("{}"));
        unknown.headers().add("eventType", bytes("order.v9"));
        fixture.send(unknown);
        ProducerRecord<byte[], byte[]> broken = new ProducerRecord<>(fixture.topic, bytes("broken"), bytes("{\"id\":"));
        broken.headers().add("type", bytes("order.v1"));
        fixture.send(broken);
        ProducerRecord<byte[], byte[]> good =
                new ProducerRecord<>(fixture.topic, bytes("good"), bytes("{\"id\":\"o-1\",\"quantity\":3}"));
        good.headers().add("type", bytes("order.v1"));
        fixture.send(good);
        try (Consumer running = fixture.hapax
                .consumer("billing")
                .from(KafkaSource.topic(fixture.topic, fixture.properties()))
                .handle(Order.class, (order, tx) -> insert(tx.connection(), tx.message(), order.id()))
                .start()) {
            await().atMost(LONG).until(() -> fixture.count() == 1 && fixture.held("QUARANTINED") == 4);
        }
        assertThat(fixture.database.queryLong("SELECT count(*) FROM hapax.held WHERE reason LIKE '%tombstone%'"))
                .isEqualTo(1);
        assertThat(fixture.position("billing")).isEqualTo(5);
    }

    @Test
    void a_batch_whose_partition_another_has_taken_over_is_rolled_back_and_done_once_in_the_end() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger calls = new AtomicInteger();
        fixture.send(0, "a", "one");
        fixture.send(0, "a", "two");
        try (Consumer running = fixture.consumer("billing")
                .handle(String.class, (body, tx) -> {
                    calls.incrementAndGet();
                    insert(tx.connection(), tx.message(), body);
                    inside.countDown();
                    assertThat(goOn.await(50, TimeUnit.SECONDS)).isTrue();
                })
                .start()) {
            assertThat(inside.await(60, TimeUnit.SECONDS)).isTrue();
            fixture.database.execute(
                    "UPDATE hapax.kafka_position SET epoch = epoch + 1, owner = 'another' WHERE partition = 0");
            long epoch = epoch();
            goOn.countDown();
            // Kafka confirms that the partition is ours: it is taken back.
            await().atMost(LONG).until(() -> fixture.count() == 2 && epoch() > epoch);
        }
        assertThat(fixture.handled("a")).containsExactly("one", "two");
        assertThat(calls.get())
                .as("handler's calls: what ran at the take-over was refused")
                .isGreaterThan(2);
    }

    /** Somebody stands still in the middle of a commit that moves its position. */
    @Test
    void a_partition_whose_position_is_locked_holds_up_no_other() throws Exception {
        sendToAllPartitions("first");
        try (Consumer running = fixture.writing("billing").start()) {
            await().atMost(LONG).until(() -> fixture.count() == SourceFixture.PARTITIONS);
        }
        sendToAllPartitions("second");
        try (Connection stuck = fixture.pool.getConnection();
                Statement lock = stuck.createStatement()) {
            stuck.setAutoCommit(false);
            lock.execute("SELECT FROM hapax.kafka_position WHERE partition = 0 FOR UPDATE");
            try (Consumer running = fixture.writing("billing").start()) {
                await().atMost(LONG).until(() -> fixture.count() == 2 * SourceFixture.PARTITIONS - 1);
                stuck.rollback();
                await().atMost(LONG).until(() -> fixture.count() == 2 * SourceFixture.PARTITIONS);
            }
        }
        assertThat(fixture.handled("k0")).containsExactly("first", "second");
    }

    private void sendToAllPartitions(String body) {
        for (int partition = 0; partition < SourceFixture.PARTITIONS; partition++) {
            fixture.send(partition, "k" + partition, body);
        }
        fixture.producer.flush();
    }

    private long epoch() throws Exception {
        return fixture.database.queryLong("SELECT epoch FROM hapax.kafka_position WHERE partition = 0");
    }

    @Test
    void an_operator_moves_a_running_consumer_and_with_keys_nothing_is_applied_twice() throws Exception {
        fixture.sendNumbers(0, 200);
        try (Consumer running = fixture.writing("billing").deduplicateById().start()) {
            await().atMost(LONG).until(() -> fixture.count() == 200 && fixture.position("billing") == 200);
            fixture.database.execute("UPDATE hapax.kafka_position SET next_offset = 0, epoch = epoch + 1");
            await().atMost(LONG).until(() -> fixture.position("billing") == 200);
            fixture.sendNumbers(200, 300);
            await().atMost(LONG).until(() -> fixture.position("billing") == 300);
        }
        assertThat(fixture.count()).isEqualTo(300);
        assertThat(fixture.distinct()).isEqualTo(300);
    }

    @Test
    void a_producer_that_says_the_same_twice_is_heard_once_where_its_records_have_ids() throws Exception {
        for (int round = 0; round < 2; round++) {
            for (int n = 0; n < 50; n++) {
                ProducerRecord<byte[], byte[]> record =
                        new ProducerRecord<>(fixture.topic, bytes("key-" + n), bytes("m" + n));
                record.headers().add("id", bytes("thing-" + n));
                fixture.send(record);
            }
        }
        try (Consumer running = fixture.writingMany("billing").deduplicateById().start()) {
            await().atMost(LONG).until(() -> fixture.position("billing") == 100);
        }
        assertThat(fixture.count()).isEqualTo(50);
        assertThat(fixture.distinct()).isEqualTo(50);
    }

    @Test
    void a_topic_that_is_made_anew_is_not_read_until_a_person_says_where() throws Exception {
        fixture.sendNumbers(0, 40);
        try (Consumer running = fixture.writing("billing").start()) {
            await().atMost(LONG).until(() -> fixture.count() == 40 && fixture.position("billing") == 40);
            fixture.kafka.admin().deleteTopics(List.of(fixture.topic)).all().get(30, TimeUnit.SECONDS);
            await().atMost(LONG).ignoreExceptions().until(() -> {
                fixture.kafka.createTopic(fixture.topic, SourceFixture.PARTITIONS);
                return true;
            });
            fixture.sendNumbers(1_000, 2_000);
            await().atMost(LONG).until(() -> stopped("%made anew%") == SourceFixture.PARTITIONS);
            assertThat(fixture.count()).isEqualTo(40);
            fixture.database.execute(
                    "UPDATE hapax.kafka_position SET next_offset = 0, done = '{}', topic_id = NULL, stopped = NULL, epoch = epoch + 1");
            await().atMost(LONG).until(() -> fixture.count() == 1_040);
        }
        assertThat(fixture.distinct()).isEqualTo(1_040);
    }

    private long stopped(String like) throws Exception {
        return fixture.database.queryLong(
                "SELECT count(*) FROM hapax.kafka_position WHERE stopped LIKE '" + like + "'");
    }

    @Test
    void records_that_retention_removed_before_they_were_read_are_named_and_not_jumped_over() throws Exception {
        fixture.sendNumbers(0, 40);
        try (Consumer running = fixture.writing("billing").start()) {
            await().atMost(LONG).until(() -> fixture.count() == 40);
        }
        fixture.sendNumbers(40, 440);
        fixture.kafka
                .admin()
                .deleteRecords(Map.of(fixture.partitions().getFirst(), RecordsToDelete.beforeOffset(50)))
                .all()
                .get(30, TimeUnit.SECONDS);
        try (Consumer running = fixture.writing("billing").start()) {
            await().atMost(LONG).until(() -> stopped("%retention%") == 1);
            await().atMost(LONG)
                    .until(() -> fixture.database.queryLong(
                                    "SELECT count(*) FROM hapax.kafka_position WHERE next_offset < 50")
                            == 1);
        }
        assertThat(fixture.count()).isEqualTo(fixture.distinct());
    }

    @Test
    void partitions_that_are_added_are_read_from_their_beginning() throws Exception {
        fixture.sendNumbers(0, 40);
        try (Consumer running = fixture.writing("billing").start()) {
            await().atMost(LONG).until(() -> fixture.count() == 40);
            fixture.kafka
                    .admin()
                    .createPartitions(Map.of(fixture.topic, NewPartitions.increaseTo(6)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
            await().atMost(LONG).ignoreExceptions().until(() -> {
                fixture.producer
                        .send(new ProducerRecord<>(fixture.topic, 5, bytes("new"), bytes("first")))
                        .get();
                return true;
            });
            await().atMost(LONG).until(() -> fixture.count() == 41);
        }
    }

    @Test
    void unsafe_properties_are_refused_with_the_reason() {
        for (Map.Entry<String, String> unsafe : Map.of(
                        "enable.auto.commit", "true",
                        "auto.offset.reset", "latest",
                        "isolation.level", "read_uncommitted",
                        "group.id", "others",
                        "value.deserializer", "a.b.C",
                        "max.poll.records", "none")
                .entrySet()) {
            Map<String, Object> properties = fixture.properties();
            properties.put(unsafe.getKey(), unsafe.getValue());
            assertThatThrownBy(() -> fixture.hapax
                            .consumer("billing")
                            .from(KafkaSource.topic(fixture.topic, properties))
                            .handle(Order.class, (order, tx) -> {})
                            .start())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(unsafe.getKey());
        }
    }
}
