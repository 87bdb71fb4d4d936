package dev.hapax.kafka;

import static dev.hapax.kafka.RelayFixture.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.kafka.KafkaRelay.Mode;
import dev.hapax.kafka.KafkaRelay.State;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A relay that could lose or repeat something does not start, and says why. */
@Tag("slow")
class UnsafeSettingsContractTest {

    private RelayFixture fixture;

    @BeforeEach
    void open() {
        fixture = new RelayFixture();
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    @ParameterizedTest
    @CsvSource({
        "acks, 1, all",
        "acks, 0, all",
        "enable.idempotence, false, true",
        "transactional.id, mine, derived from",
        "key.serializer, some.Serializer, hands over bytes",
        "max.in.flight.requests.per.connection, 6, 1 to 5",
        "retries, 0, 1 or more",
        "partitioner.ignore.keys, true, lose their order"
    })
    void properties_that_make_a_producer_unsafe_are_refused(String name, String value, String says) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("bootstrap.servers", fixture.kafka.bootstrapServers());
        properties.put(name, value);
        assertThatThrownBy(() -> fixture.relay().producer(properties))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(name + " = " + value)
                .hasMessageContaining(says);
    }

    @Test
    void topics_with_fewer_replicas_than_asked_for_are_refused() {
        assertThatThrownBy(() -> fixture.relay().replication(2).start())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("topic " + fixture.topic + " has 1 replicas; at least 2");
    }

    @Test
    void a_position_topic_that_forgets_is_refused() {
        fixture.kafka.createTopic(fixture.positions, 1, Map.of("cleanup.policy", "delete"));
        assertThatThrownBy(() -> fixture.relay().start())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(fixture.positions)
                .hasMessageContaining("cleanup.policy = delete; it must be compact");
    }

    @Test
    void a_topic_whose_leader_may_lack_records_is_refused() {
        String unclean = fixture.topic + "-unclean";
        fixture.kafka.createTopic(unclean, 1, Map.of("unclean.leader.election.enable", "true"));
        assertThatThrownBy(() -> fixture.relay().topic("other", unclean).start())
                .hasMessageContaining("unclean.leader.election.enable");
    }

    @Test
    void the_positions_topic_is_no_target() {
        assertThatThrownBy(() -> fixture.relay().positionTopic(fixture.topic).start())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("its position topic");
    }

    @Test
    void what_must_be_set_is_asked_for() {
        assertThatThrownBy(() -> KafkaRelay.of(fixture.hapax, "r").start()).hasMessageContaining("no topic");
        assertThatThrownBy(() -> KafkaRelay.of(fixture.hapax, "r").topic("t").start())
                .hasMessageContaining("no broker");
        assertThatThrownBy(() -> KafkaRelay.of(fixture.hapax, "r").producer(Map.of()))
                .hasMessageContaining("bootstrap.servers");
        assertThatThrownBy(() -> KafkaRelay.of(fixture.hapax, "r").topic("Größe"))
                .hasMessageContaining("kafka topic must be");
    }

    @Test
    void a_position_topic_that_was_made_anew_is_not_taken_for_the_old_one() throws Exception {
        KafkaRelay relay = fixture.start();
        fixture.publish("key", "one");
        await().atMost(LONG).until(() -> fixture.values().size() == 1);
        relay.close();
        fixture.kafka
                .admin()
                .deleteTopics(java.util.List.of(fixture.positions))
                .all()
                .get();
        await().atMost(LONG)
                .until(() -> !fixture.kafka.admin().listTopics().names().get().contains(fixture.positions));
        KafkaRelay again = fixture.start();
        await().atMost(LONG).until(() -> again.problem().isPresent());
        assertThat(again.state()).isEqualTo(State.CONNECTING);
        assertThat(again.problem().orElseThrow()).contains("./hapax relay forget orders-relay");
        assertThat(fixture.hapax.relays().forgetPosition("orders-relay")).isTrue();
        await().atMost(LONG).until(() -> again.state() == State.RUNNING);
        fixture.publish("key", "two");
        await().atMost(LONG).until(() -> fixture.values().size() == 2);
        assertThat(fixture.values()).containsExactly("one", "two");
    }

    @Test
    void a_change_of_mode_goes_on_where_the_other_one_was() {
        for (Mode mode : new Mode[] {Mode.AT_LEAST_ONCE, Mode.EXACTLY_ONCE, Mode.AT_LEAST_ONCE, Mode.EXACTLY_ONCE}) {
            int before = fixture.records().size();
            try (KafkaRelay relay = fixture.relay().mode(mode).start()) {
                fixture.publish("key", "n" + before);
                await().atMost(LONG).until(() -> fixture.records().size() > before);
                assertThat(relay.problem()).isEmpty();
            }
        }
        assertThat(fixture.values()).containsExactly("n0", "n1", "n2", "n3");
    }
}
