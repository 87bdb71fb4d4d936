package dev.hapax.kafka;

import static dev.hapax.kafka.RelayFixture.LONG;
import static dev.hapax.kafka.RelayFixture.header;
import static dev.hapax.kafka.RelayFixture.key;
import static dev.hapax.kafka.RelayFixture.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.kafka.KafkaRelay.Mode;
import dev.hapax.testkit.ChildJvm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Relays in processes of their own that die where it hurts, are killed and frozen; what is on the topic is counted by a plain consumer of committed records. */
@Tag("slow")
class KafkaRelayCrashTest {

    private RelayFixture fixture;
    private final List<ChildJvm> children = new ArrayList<>();

    @BeforeEach
    void open() {
        fixture = new RelayFixture();
    }

    @AfterEach
    void close() {
        children.forEach(ChildJvm::close);
        fixture.close();
    }

    private ChildJvm worker(Mode mode, String... jvm) {
        ChildJvm child = ChildJvm.of(RelayWorker.class)
                .name("relay-" + children.size())
                .arguments(
                        fixture.database.jdbcUrl(),
                        fixture.kafka.bootstrapServers(),
                        fixture.topic,
                        fixture.positions,
                        mode.name())
                .jvm(jvm)
                .jvm("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                .jvm("-Dorg.slf4j.simpleLogger.log.org.apache.kafka=error")
                .heap(160)
                .start();
        children.add(child);
        return child;
    }

    private void awaitRecords(int count) {
        await().atMost(LONG).pollInterval(Duration.ofMillis(100)).until(() -> distinct() >= count);
    }

    private long distinct() {
        return fixture.records().stream().map(r -> header(r, "id")).distinct().count();
    }

    private void assertComplete(int count) {
        List<ConsumerRecord<byte[], byte[]>> records = fixture.records();
        assertThat(records.stream().map(RelayFixture::value).toList())
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, count).mapToObj(Integer::toString).toList());
        Map<String, Integer> last = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            int number = Integer.parseInt(value(record));
            Integer before = last.put(key(record), number);
            assertThat(before == null ? -1 : before).isLessThan(number);
        }
    }

    @Test
    void a_relay_that_dies_between_send_and_commit_has_published_nothing_of_the_batch() throws Exception {
        fixture.publishNumbers(0, 1000);
        for (int sends : new int[] {20, 250, 330}) {
            ChildJvm dying = worker(Mode.EXACTLY_ONCE, "-D" + RelayWorker.DIE_AT_SEND + "=" + sends);
            dying.awaitExit(LONG);
        }
        worker(Mode.EXACTLY_ONCE);
        awaitRecords(1000);
        assertComplete(1000);
    }

    @Test
    void a_relay_that_dies_between_the_commit_and_the_databases_copy_publishes_nothing_twice() throws Exception {
        int published = 0;
        for (int moves : new int[] {1, 2, 1, 2}) {
            fixture.publishNumbers(published, published + 250);
            published += 250;
            worker(Mode.EXACTLY_ONCE, "-D" + RelayWorker.DIE_AT_MOVE + "=" + moves)
                    .awaitExit(LONG);
        }
        worker(Mode.EXACTLY_ONCE);
        awaitRecords(1000);
        assertComplete(1000);
    }

    @Test
    void without_transactions_a_kill_may_repeat_messages_under_their_ids_and_loses_none() throws Exception {
        fixture.publishNumbers(0, 1000);
        for (int moves : new int[] {2, 3}) {
            worker(Mode.AT_LEAST_ONCE, "-D" + RelayWorker.DIE_AT_MOVE + "=" + moves)
                    .awaitExit(LONG);
        }
        worker(Mode.AT_LEAST_ONCE);
        awaitRecords(1000);
        List<ConsumerRecord<byte[], byte[]>> records = fixture.records();
        assertThat(records.size()).isGreaterThan(1000);
        Map<String, String> byId = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            String before = byId.put(header(record, "id"), value(record));
            assertThat(before == null ? value(record) : before).isEqualTo(value(record));
        }
        assertThat(byId).hasSize(1000);
    }

    @Test
    void relays_that_are_killed_at_any_moment_publish_each_message_once() throws Exception {
        Random random = new Random(20_261_124);
        int published = 0;
        ChildJvm relay = worker(Mode.EXACTLY_ONCE);
        ChildJvm standby = worker(Mode.EXACTLY_ONCE);
        for (int kill = 0; kill < 6; kill++) {
            int until = published + 2000;
            long goal = distinct() + 1 + random.nextInt(1500);
            int from = published;
            Thread load = Thread.ofPlatform().start(() -> fixture.publishNumbers(from, until));
            await().atMost(LONG).pollInterval(Duration.ofMillis(20)).until(() -> distinct() >= goal);
            relay.kill9();
            load.join();
            published = until;
            relay = standby;
            standby = worker(Mode.EXACTLY_ONCE);
        }
        awaitRecords(published);
        assertComplete(published);
    }

    @Test
    void a_relay_that_was_frozen_and_wakes_up_after_the_takeover_publishes_nothing() throws Exception {
        fixture.publishNumbers(0, 500);
        ChildJvm first = worker(Mode.EXACTLY_ONCE);
        awaitRecords(500);
        // In the middle of a stream, so that it has a transaction open or a batch in its hands.
        Thread load = Thread.ofPlatform().start(() -> fixture.publishNumbers(500, 6000));
        awaitRecords(700);
        first.sigstop();
        load.join();
        worker(Mode.EXACTLY_ONCE);
        awaitRecords(6000);
        long owners = owners();
        first.sigcont();
        fixture.publishNumbers(6000, 6500);
        awaitRecords(6500);
        // It has found out, and stands by: its process is known again.
        await().atMost(LONG)
                .until(() -> fixture.database.queryLong(
                                "SELECT count(*) FROM hapax.member WHERE seen_until > clock_timestamp()")
                        == 2);
        assertThat(owners()).isEqualTo(owners);
        assertComplete(6500);
    }

    private long owners() throws Exception {
        return fixture.database.queryLong("SELECT count(DISTINCT owner) FROM hapax.position");
    }
}
