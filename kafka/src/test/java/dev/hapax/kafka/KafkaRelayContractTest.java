package dev.hapax.kafka;

import static dev.hapax.kafka.RelayFixture.LONG;
import static dev.hapax.kafka.RelayFixture.PLACED;
import static dev.hapax.kafka.RelayFixture.header;
import static dev.hapax.kafka.RelayFixture.key;
import static dev.hapax.kafka.RelayFixture.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.kafka.KafkaRelay.Mode;
import dev.hapax.kafka.KafkaRelay.State;
import java.sql.Connection;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A relay, a real database and a real broker. */
@Tag("slow")
class KafkaRelayContractTest {

    private RelayFixture fixture;

    @BeforeEach
    void open() {
        fixture = new RelayFixture();
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void a_record_has_the_body_the_key_the_time_and_what_is_known_of_the_operation() {
        Instant keyTime = Instant.parse("2026-01-02T03:04:05Z");
        Instant before = Instant.now().minusSeconds(5);
        fixture.hapax
                .once(Key.of("orders", "o-1").at(Instant.now().minusSeconds(60)))
                .run(tx -> tx.publish(PLACED, "customer-7", "für 3 €"));
        fixture.start();
        await().atMost(LONG).until(() -> fixture.records().size() == 1);
        ConsumerRecord<byte[], byte[]> record = fixture.records().getFirst();
        assertThat(key(record)).isEqualTo("customer-7");
        assertThat(value(record)).isEqualTo("für 3 €");
        assertThat(Instant.ofEpochMilli(record.timestamp())).isAfter(before);
        assertThat(header(record, "id")).hasSize(36);
        assertThat(header(record, "eventType")).isNotBlank();
        assertThat(header(record, "hapax-scope")).isEqualTo("orders");
        assertThat(header(record, "hapax-producer")).isEqualTo("shop");
        assertThat(header(record, "hapax-key")).isEqualTo("o-1");
        assertThat(Instant.parse(header(record, "hapax-key-time"))).isAfter(keyTime);
        assertThat(header(record, "traceparent")).isNull();
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void each_message_is_published_once_and_those_of_one_key_in_order(Mode mode) {
        fixture.publishNumbers(0, 1000);
        fixture.start(fixture.relay().mode(mode));
        fixture.publishNumbers(1000, 2000);
        await().atMost(LONG).until(() -> fixture.records().size() >= 2000);
        assertComplete(2000);
    }

    private void assertComplete(int count) {
        List<ConsumerRecord<byte[], byte[]>> records = fixture.records();
        assertThat(records.stream().map(RelayFixture::value).toList())
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, count).mapToObj(Integer::toString).toList());
        assertThat(records.stream().map(r -> header(r, "id")).distinct()).hasSize(count);
        assertOrderPerKey(records);
    }

    private static void assertOrderPerKey(List<ConsumerRecord<byte[], byte[]>> records) {
        Map<String, Integer> last = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            int number = Integer.parseInt(value(record));
            Integer before = last.put(key(record), number);
            assertThat(before == null ? -1 : before).isLessThan(number);
        }
    }

    @Test
    void messages_of_other_topics_are_passed_over_and_do_not_keep_the_log_from_being_dropped() {
        KafkaRelay relay = fixture.start();
        await().atMost(LONG).until(() -> relay.state() == State.RUNNING);
        for (int i = 0; i < 20; i++) {
            fixture.publishTo("other", "key-" + i, "other");
        }
        fixture.publish("key", "mine");
        await().atMost(LONG).until(() -> fixture.values().equals(List.of("mine")));
        await().atMost(LONG).until(() -> low() == 21 && relay.lag().messages() == 0);
    }

    private long low() throws Exception {
        return fixture.database.queryLong("SELECT sum(low) FROM hapax.position WHERE consumer = 'orders-relay'");
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void a_relay_that_is_started_again_goes_on_where_it_was(Mode mode) {
        for (int round = 0; round < 3; round++) {
            try (KafkaRelay relay = fixture.relay().mode(mode).start()) {
                int until = (round + 1) * 100;
                fixture.publishNumbers(round * 100, until);
                await().atMost(LONG).until(() -> fixture.records().size() >= until);
                assertThat(relay.problem()).isEmpty();
            }
        }
        assertComplete(300);
    }

    @Test
    void the_position_is_read_back_from_the_broker_and_not_from_the_database() throws Exception {
        try (KafkaRelay relay = fixture.relay().start()) {
            fixture.publishNumbers(0, 200);
            await().atMost(LONG).until(() -> fixture.records().size() >= 200);
            assertThat(relay.problem()).isEmpty();
        }
        fixture.database.execute("UPDATE hapax.position SET low = 0, done = '{}'");
        fixture.start();
        fixture.publishNumbers(200, 300);
        await().atMost(LONG).until(() -> fixture.records().size() >= 300);
        assertComplete(300);
    }

    @Test
    void a_transaction_that_commits_late_is_published_late_and_not_lost() throws Exception {
        KafkaRelay relay = fixture.start();
        await().atMost(LONG).until(() -> relay.state() == State.RUNNING);
        try (Connection slow = fixture.pool.getConnection()) {
            slow.setAutoCommit(false);
            fixture.hapax.once(Key.generate("orders")).on(slow).run(tx -> tx.publish(PLACED, "late", "late"));
            for (int i = 0; i < 50; i++) {
                fixture.publish("key-" + i, "n" + i);
            }
            await().atMost(LONG).until(() -> fixture.records().size() == 50);
            slow.commit();
        }
        await().atMost(LONG).until(() -> fixture.records().size() == 51);
        assertThat(fixture.values()).contains("late").doesNotHaveDuplicates();
    }

    @Test
    void one_of_two_publishes_and_the_other_goes_on_when_it_is_gone() {
        try (Hapax other = Hapax.on(fixture.pool).name("shop").open()) {
            KafkaRelay first = fixture.start();
            await().atMost(LONG).until(() -> first.state() == State.RUNNING);
            KafkaRelay second = fixture.start(fixture.relay(other));
            fixture.publishNumbers(0, 500);
            await().atMost(LONG).until(() -> fixture.records().size() >= 500);
            assertThat(second.state()).isEqualTo(State.STANDBY);
            first.close();
            fixture.publishNumbers(500, 1000);
            await().atMost(LONG).until(() -> fixture.records().size() >= 1000);
            assertThat(second.state()).isEqualTo(State.RUNNING);
            assertComplete(1000);
            second.close();
        }
    }

    @Test
    void a_paused_relay_publishes_nothing_until_it_is_resumed() {
        KafkaRelay relay = fixture.start();
        await().atMost(LONG).until(() -> relay.state() == State.RUNNING);
        fixture.hapax.control().pause(dev.hapax.control.Control.Kind.CONSUMER, "orders-relay", "broker moves", "me");
        await().atMost(LONG)
                .until(() -> fixture.hapax.control().list().size() == 1
                        && fixture.database.queryLong("SELECT count(*) FROM hapax.paused") == 1);
        await().atMost(LONG).until(() -> {
            int before = fixture.records().size();
            fixture.publish("key", "x" + before);
            return relay.lag().messages() > 0;
        });
        int published = fixture.records().size();
        fixture.hapax.control().resume(dev.hapax.control.Control.Kind.CONSUMER, "orders-relay");
        await().atMost(LONG)
                .until(() -> fixture.records().size() > published && relay.lag().messages() == 0);
    }
}
