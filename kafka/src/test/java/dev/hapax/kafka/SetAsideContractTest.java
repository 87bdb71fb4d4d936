package dev.hapax.kafka;

import static dev.hapax.kafka.RelayFixture.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Quarantine.Held;
import dev.hapax.consume.Quarantine.State;
import dev.hapax.kafka.KafkaRelay.Mode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the broker refuses. */
@Tag("slow")
class SetAsideContractTest {

    private static final String RELAY = "orders-relay";

    private RelayFixture fixture;

    @BeforeEach
    void open() {
        fixture = new RelayFixture();
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private KafkaRelayBuilder small(Mode mode) {
        return fixture.relay()
                .mode(mode)
                .producer(Map.of("bootstrap.servers", fixture.kafka.bootstrapServers(), "max.request.size", 2_000));
    }

    private List<Held> held(State state) {
        return fixture.hapax.quarantine().list(RELAY, state, 100);
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void a_message_that_is_too_large_is_set_aside_with_its_reason_and_later_ones_of_its_key_wait(Mode mode) {
        fixture.publish("a", "a-1");
        fixture.publish("a", "x".repeat(5_000));
        fixture.publish("a", "a-2");
        fixture.publish("b", "b-1");
        fixture.start(small(mode));
        await().atMost(LONG)
                .until(() -> fixture.values().size() == 2 && held(State.WAITING).size() == 1);
        assertThat(fixture.values()).containsExactlyInAnyOrder("a-1", "b-1");
        fixture.publish("a", "a-3");
        await().atMost(LONG).until(() -> held(State.WAITING).size() == 2);
        Held large = held(State.QUARANTINED).getFirst();
        assertThat(large.reason().orElseThrow()).contains("too large", "2000");
        fixture.hapax.quarantine().discard(large.id(), "sent by another way");
        await().atMost(LONG).until(() -> fixture.values().size() == 4);
        assertThat(fixture.values()).containsSubsequence("a-1", "a-2", "a-3");
        await().atMost(LONG).until(() -> fixture.database.queryLong("SELECT count(*) FROM hapax.held") == 0);
        fixture.publish("a", "a-4");
        await().atMost(LONG).until(() -> fixture.values().contains("a-4"));
    }

    @Test
    void a_message_that_only_the_broker_finds_too_large_is_set_aside_too() {
        String small = fixture.topic + "-small";
        fixture.kafka.createTopic(small, 1, Map.of("max.message.bytes", "2000"));
        fixture.publishTo("orders.small", "a", "a-1");
        fixture.publishTo("orders.small", "a", "x".repeat(5_000));
        fixture.publishTo("orders.small", "b", "b-1");
        fixture.start(fixture.relay().topic("orders.small", small));
        await().atMost(LONG)
                .until(() -> held(State.QUARANTINED).size() == 1
                        && RelayFixture.records(fixture.kafka, small, 1).size() == 2);
        assertThat(held(State.QUARANTINED).getFirst().reason().orElseThrow()).contains("RecordTooLarge");
    }

    @Test
    void later_messages_of_its_key_go_on_if_that_is_wanted() {
        fixture.publish("a", "x".repeat(5_000));
        fixture.publish("a", "a-2");
        fixture.start(small(Mode.EXACTLY_ONCE).continuePastFailures());
        await().atMost(LONG).until(() -> fixture.values().equals(List.of("a-2")));
        assertThat(held(State.QUARANTINED)).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void messages_for_a_topic_that_is_missing_wait_until_it_is_there_and_someone_says_so(Mode mode) {
        String missing = fixture.topic + "-missing";
        fixture.start(fixture.relay().mode(mode).topic("orders.shipped", missing));
        fixture.publishTo("orders.shipped", "a", "shipped-1");
        fixture.publishTo("orders.shipped", "a", "shipped-2");
        fixture.publish("b", "placed");
        await().atMost(LONG)
                .until(() -> fixture.values().equals(List.of("placed"))
                        && held(State.WAITING).size() == 1);
        assertThat(held(State.QUARANTINED).getFirst().reason().orElseThrow()).contains(missing, "does not exist");
        fixture.kafka.createTopic(missing, 1);
        fixture.hapax.quarantine().retryAll(RELAY);
        await().atMost(LONG)
                .until(() -> RelayFixture.records(fixture.kafka, missing, 1).size() == 2);
        assertThat(RelayFixture.records(fixture.kafka, missing, 1).stream()
                        .map(RelayFixture::value)
                        .toList())
                .containsExactly("shipped-1", "shipped-2");
        await().atMost(LONG).until(() -> fixture.database.queryLong("SELECT count(*) FROM hapax.held") == 0);
    }

    @Test
    void what_was_set_aside_and_published_is_not_published_again_after_a_restart() throws Exception {
        String missing = fixture.topic + "-missing";
        KafkaRelay relay = fixture.start(fixture.relay().topic("orders.shipped", missing));
        fixture.publishTo("orders.shipped", "a", "shipped");
        await().atMost(LONG).until(() -> held(State.QUARANTINED).size() == 1);
        // As a kill between the broker's commit and the database's: the latter does not come.
        fixture.database.execute("""
                CREATE FUNCTION killed() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'killed before this' USING ERRCODE = '57P01'; END $$;
                CREATE TRIGGER killed BEFORE DELETE ON hapax.held FOR EACH ROW EXECUTE FUNCTION killed();""");
        fixture.kafka.createTopic(missing, 1);
        fixture.hapax.quarantine().retryAll(RELAY);
        await().atMost(LONG)
                .until(() -> RelayFixture.records(fixture.kafka, missing, 1).size() == 1);
        relay.close();
        assertThat(fixture.database.queryLong("SELECT count(*) FROM hapax.held"))
                .isEqualTo(1);
        fixture.database.execute("DROP TRIGGER killed ON hapax.held");
        fixture.start(fixture.relay().topic("orders.shipped", missing));
        await().atMost(LONG).until(() -> fixture.database.queryLong("SELECT count(*) FROM hapax.held") == 0);
        assertThat(RelayFixture.records(fixture.kafka, missing, 1)).hasSize(1);
    }
}
