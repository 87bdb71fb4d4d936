package dev.hapax.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Key;
import dev.hapax.kafka.KafkaRelay.Mode;
import dev.hapax.testkit.ChildJvm;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * From operations by way of log, relay, Kafka and consumer to effects, while relays, consumers and the broker are killed: what was published, what is on the topic, and what took effect are the same set, each once, and
 * in the order of its key.
 *
 * <p>6,000 messages; {@code -Dhapax.proof.messages=1000000} makes it a million, and more kills.
 */
@Tag("slow")
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class SetEqualityCrashTest {

    private static final int MESSAGES = Integer.getInteger("hapax.proof.messages", 6_000);
    private static final int EACH_TRANSACTION = 200;
    private static final int KEYS = 1_000;
    private static final int MESSAGES_A_KILL = 40_000;
    private static final int KILLS_MIN = 3;
    private static final Duration PROGRESS_WITHIN = Duration.ofMinutes(5);

    private final Random random = new Random(20_261_124);
    private final List<ChildJvm> relays = new ArrayList<>();
    private final List<ChildJvm> consumers = new ArrayList<>();
    private EmbeddedKafka kafka;
    private RelayFixture fixture;
    private int children;

    @BeforeEach
    void open() {
        kafka = EmbeddedKafka.builder().inOwnProcess().start();
        fixture = new RelayFixture(kafka);
        SourceFixture.prepare(fixture.database);
    }

    @AfterEach
    void close() {
        relays.forEach(ChildJvm::close);
        consumers.forEach(ChildJvm::close);
        fixture.close();
        kafka.close();
    }

    private ChildJvm.Builder child(Class<?> main) {
        return ChildJvm.of(main)
                .name(main.getSimpleName() + "-" + ++children)
                .jvm("-Dorg.slf4j.simpleLogger.defaultLogLevel=error")
                .heap(160);
    }

    private ChildJvm relay() {
        return child(RelayWorker.class)
                .arguments(
                        fixture.database.jdbcUrl(),
                        kafka.bootstrapServers(),
                        fixture.topic,
                        fixture.positions,
                        Mode.EXACTLY_ONCE.name())
                .start();
    }

    private ChildJvm consumer() {
        return child(SourceWorkerMain.class)
                .arguments(fixture.database.jdbcUrl(), kafka.bootstrapServers(), fixture.topic)
                .jvm("-D" + SourceWorkerMain.TOGETHER + "=true")
                .start();
    }

    private void publishAll() {
        for (int first = 0; first < MESSAGES; first += EACH_TRANSACTION) {
            int from = first;
            fixture.hapax.once(Key.generate("orders")).run(tx -> {
                for (int n = from; n < Math.min(MESSAGES, from + EACH_TRANSACTION); n++) {
                    tx.publish(RelayFixture.PLACED, "key-" + n % KEYS, Integer.toString(n));
                }
            });
        }
    }

    private long handled() throws Exception {
        return fixture.database.queryLong("SELECT count(*) FROM handled");
    }

    private long distinct() throws Exception {
        return fixture.database.queryLong("SELECT count(DISTINCT body) FROM handled");
    }

    /** Which of them, and when, is drawn by the seed. */
    private void killOne(int nth) {
        switch (nth % 3) {
            case 0 -> replace(relays, relay());
            case 1 -> replace(consumers, consumer());
            default -> {
                kafka.kill9();
                kafka.restart();
            }
        }
    }

    private void replace(List<ChildJvm> processes, ChildJvm successor) {
        processes.remove(random.nextInt(processes.size())).kill9();
        processes.add(successor);
    }

    @Test
    void what_was_published_is_on_the_topic_and_took_effect_each_once_whoever_is_killed() throws Exception {
        for (int i = 0; i < 2; i++) {
            relays.add(relay());
            consumers.add(consumer());
        }
        Thread publisher = Thread.ofPlatform().name("publisher").start(this::publishAll);
        int kills = Math.max(KILLS_MIN, MESSAGES / MESSAGES_A_KILL);
        for (int kill = 0; kill < kills; kill++) {
            long goal = (long) MESSAGES * kill / (kills + 1) + random.nextInt(MESSAGES / (kills + 1));
            await().atMost(PROGRESS_WITHIN).pollInterval(Duration.ofMillis(50)).until(() -> handled() >= goal);
            killOne(kill);
        }
        publisher.join();
        await().atMost(PROGRESS_WITHIN)
                .pollInterval(Duration.ofMillis(500))
                .until(() -> handled() >= MESSAGES && distinct() == MESSAGES);
        assertThat(handled()).as("effects").isEqualTo(MESSAGES);
        assertThat(fixture.database.queryLong(
                        "SELECT count(*) FROM (SELECT CAST(body AS int) < lag(CAST(body AS int)) OVER (PARTITION BY message_key ORDER BY nth) AS back"
                                + " FROM handled) o WHERE back"))
                .as("effects behind a later one of their key")
                .isZero();
        assertTopicHasEachOnceInOrder();
        assertThat(fixture.database.queryLong(
                        "SELECT count(*) FROM hapax.log WHERE topic = '" + RelayFixture.PLACED + "'"))
                .as("messages in the log")
                .isEqualTo(MESSAGES);
    }

    private void assertTopicHasEachOnceInOrder() {
        BitSet there = new BitSet(MESSAGES);
        Map<String, Integer> last = new HashMap<>();
        long[] wrong = new long[2];
        List<TopicPartition> partitions = new ArrayList<>();
        for (int partition = 0; partition < 4; partition++) {
            partitions.add(new TopicPartition(fixture.topic, partition));
        }
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "isolation.level", "read_committed"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    int number = Integer.parseInt(RelayFixture.value(record));
                    wrong[0] += there.get(number) ? 1 : 0;
                    there.set(number);
                    Integer before = last.put(RelayFixture.key(record), number);
                    wrong[1] += before != null && before > number ? 1 : 0;
                }
            }
        }
        assertThat(there.cardinality()).as("different records").isEqualTo(MESSAGES);
        assertThat(wrong[0]).as("records that are there twice").isZero();
        assertThat(wrong[1]).as("records behind a later one of their key").isZero();
    }
}
