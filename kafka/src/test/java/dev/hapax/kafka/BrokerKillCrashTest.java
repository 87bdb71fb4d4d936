package dev.hapax.kafka;

import static dev.hapax.kafka.SourceFixture.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Consumer;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A broker that is killed, and one that is frozen, under a consumer: what is on the topic in the end is what took effect. */
@Tag("slow")
class BrokerKillCrashTest {

    private EmbeddedKafka kafka;
    private SourceFixture fixture;

    @BeforeEach
    void open() {
        kafka = EmbeddedKafka.builder().inOwnProcess().start();
        fixture = new SourceFixture(kafka);
    }

    @AfterEach
    void close() {
        fixture.close();
        kafka.close();
    }

    private void assertComplete(int records) throws Exception {
        await().atMost(LONG).until(() -> fixture.distinct() >= records);
        List<ConsumerRecord<byte[], byte[]>> onTopic =
                RelayFixture.records(kafka, fixture.topic, SourceFixture.PARTITIONS);
        assertThat(onTopic).hasSize(records);
        assertThat(fixture.count()).isEqualTo(records);
        assertThat(fixture.distinct()).isEqualTo(records);
        assertThat(fixture.outOfOrder()).isZero();
    }

    @Test
    void a_broker_that_is_killed_while_it_is_read_is_read_on_where_it_was() throws Exception {
        int sent = 0;
        try (Consumer running = fixture.writing("billing").batch(20).start()) {
            for (int kill = 0; kill < 2; kill++) {
                int before = sent;
                fixture.sendNumbers(before, before + 2_000);
                await().atMost(LONG).until(() -> fixture.count() > before + 100);
                kafka.kill9();
                // The producer keeps these until the broker is back.
                for (int n = before + 2_000; n < before + 3_000; n++) {
                    fixture.send("key-" + n % 20, Integer.toString(n));
                }
                kafka.restart();
                fixture.producer.flush();
                sent = before + 3_000;
            }
            assertComplete(sent);
        }
    }

    @Test
    void a_broker_that_is_frozen_for_a_while_costs_nothing_but_the_time() throws Exception {
        fixture.sendNumbers(0, 2_000);
        try (Consumer running = fixture.writing("billing").batch(20).start()) {
            await().atMost(LONG).until(() -> fixture.count() > 100);
            kafka.sigstop();
            for (int n = 2_000; n < 3_000; n++) {
                fixture.send("key-" + n % 20, Integer.toString(n));
            }
            kafka.sigcont();
            fixture.producer.flush();
            assertComplete(3_000);
        }
    }
}
