package dev.hapax.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Consumer;
import dev.hapax.testkit.ChildJvm;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.kafka.tools.ConsoleProducer;
import org.apache.kafka.tools.consumer.ConsoleConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Kafka's own console tools, in processes of their own: what they write is consumed, and what a relay publishes is read by them. */
@Tag("slow")
class ForeignClientContractTest {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int COUNT = 50;

    private static ChildJvm.Builder tool(Class<?> main) {
        return ChildJvm.of(main)
                .jvm("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                .jvm("-Dorg.slf4j.simpleLogger.log.org.apache.kafka=error");
    }

    @Test
    void records_of_the_console_producer_take_effect_once() throws Exception {
        try (SourceFixture fixture = new SourceFixture();
                ChildJvm producer = tool(ConsoleProducer.class)
                        .arguments(
                                "--bootstrap-server",
                                fixture.kafka.bootstrapServers(),
                                "--topic",
                                fixture.topic,
                                "--reader-property",
                                "parse.key=true",
                                "--reader-property",
                                "key.separator=:")
                        .start()) {
            for (int n = 0; n < COUNT; n++) {
                producer.send("key-" + n % 5 + ":line " + n);
            }
            try (Consumer running = fixture.writing("billing").start()) {
                await().atMost(LONG).until(() -> fixture.count() >= COUNT);
                producer.send("key-0:last");
                await().atMost(LONG).until(() -> fixture.handled("key-0").contains("last"));
            }
            assertThat(fixture.count()).isEqualTo(COUNT + 1);
            assertThat(fixture.distinct()).isEqualTo(COUNT + 1);
            assertThat(fixture.outOfOrder()).isZero();
            assertThat(fixture.handled("key-1"))
                    .isEqualTo(IntStream.range(0, COUNT)
                            .filter(n -> n % 5 == 1)
                            .mapToObj(n -> "line " + n)
                            .toList());
        }
    }

    @Test
    void what_a_relay_publishes_is_read_by_the_console_consumer() throws Exception {
        try (RelayFixture fixture = new RelayFixture()) {
            fixture.publishNumbers(0, COUNT);
            fixture.start();
            try (ChildJvm consumer = tool(ConsoleConsumer.class)
                    .arguments(
                            "--bootstrap-server",
                            fixture.kafka.bootstrapServers(),
                            "--topic",
                            fixture.topic,
                            "--from-beginning",
                            "--isolation-level",
                            "read_committed",
                            "--max-messages",
                            Integer.toString(COUNT),
                            "--formatter-property",
                            "print.key=true",
                            "--formatter-property",
                            "print.headers=true",
                            "--formatter-property",
                            "key.separator=|")
                    .start()) {
                assertThat(consumer.awaitExit(LONG)).isZero();
                List<String> lines = consumer.lines().stream()
                        .filter(line -> line.contains(KafkaHeaders.SCOPE))
                        .toList();
                assertThat(lines)
                        .hasSize(COUNT)
                        .allMatch(line -> line.contains(KafkaHeaders.ID + ":")
                                && line.contains(KafkaHeaders.TYPE + ":")
                                && line.contains(KafkaHeaders.SCOPE + ":orders"));
                // Headers, key, value.
                assertThat(lines.stream().map(line -> line.substring(line.lastIndexOf('|') + 1)))
                        .containsExactlyInAnyOrderElementsOf(IntStream.range(0, COUNT)
                                .mapToObj(Integer::toString)
                                .toList());
                assertThat(lines).anyMatch(line -> line.endsWith("key-7|7"));
            }
            // And by a plain consumer.
            assertThat(fixture.values())
                    .containsExactlyInAnyOrderElementsOf(IntStream.range(0, COUNT)
                            .mapToObj(Integer::toString)
                            .toList());
        }
    }
}
