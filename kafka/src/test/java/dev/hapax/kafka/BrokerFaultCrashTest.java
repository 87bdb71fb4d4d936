package dev.hapax.kafka;

import static dev.hapax.kafka.RelayFixture.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.kafka.KafkaRelay.State;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A broker that is stopped, killed and frozen under a relay. */
@Tag("slow")
class BrokerFaultCrashTest {

    private EmbeddedKafka kafka;
    private RelayFixture fixture;

    @BeforeEach
    void open() {
        kafka = EmbeddedKafka.builder().inOwnProcess().start();
        fixture = new RelayFixture(kafka);
    }

    @AfterEach
    void close() {
        fixture.close();
        kafka.close();
    }

    private void assertComplete(int count) {
        await().atMost(LONG)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> fixture.records().size() >= count);
        assertThat(fixture.values())
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, count).mapToObj(Integer::toString).toList());
    }

    @Test
    void while_the_broker_is_away_the_log_grows_and_nothing_is_lost() {
        KafkaRelay relay = fixture.start();
        fixture.publishNumbers(0, 500);
        assertComplete(500);
        kafka.kill9();
        fixture.publishNumbers(500, 1500);
        await().atMost(LONG)
                .until(() ->
                        relay.lag().messages() >= 1000 && relay.lag().oldest().compareTo(Duration.ofSeconds(1)) > 0);
        await().atMost(LONG).until(() -> relay.problem().isPresent());
        kafka.restart();
        assertComplete(1500);
        await().atMost(LONG)
                .until(() -> relay.state() == State.RUNNING && relay.lag().messages() == 0);
    }

    @Test
    void a_broker_that_is_killed_in_the_middle_of_batches_has_each_message_once() throws Exception {
        fixture.start(fixture.relay().batch(100));
        int published = 0;
        for (int kill = 0; kill < 3; kill++) {
            int from = published;
            int until = published + 3000;
            Thread load = Thread.ofPlatform().start(() -> fixture.publishNumbers(from, until));
            await().atMost(LONG)
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> fixture.records().size() >= from + 300);
            kafka.kill9();
            load.join();
            published = until;
            kafka.restart();
        }
        assertComplete(published);
    }

    @Test
    void a_relay_starts_without_its_broker_and_publishes_when_it_comes() {
        kafka.stop();
        KafkaRelay relay = fixture.start();
        fixture.publishNumbers(0, 200);
        await().atMost(LONG)
                .until(() ->
                        relay.state() == State.CONNECTING && relay.problem().isPresent());
        kafka.restart();
        assertComplete(200);
    }
}
