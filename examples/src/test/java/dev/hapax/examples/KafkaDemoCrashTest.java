package dev.hapax.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.testkit.ChildJvm;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The demo with Kafka between shop and billing, as a person runs it, on fewer orders, and looked at with a plain consumer. */
@Tag("slow")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class KafkaDemoCrashTest {
    private static final int LINES = 400;
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    @TempDir
    private Path folder;

    @Test
    void each_line_is_published_and_billed_once_whoever_is_killed_and_the_topic_can_be_looked_at() throws Exception {
        Path data = folder.resolve("data");
        Path report = folder.resolve("report.json");

        CommandRun run = CommandRun.of(
                "demo",
                "--broker",
                "kafka",
                "--orders",
                someOrders().toString(),
                "--kills",
                "4",
                "--seed",
                "11",
                "--data",
                data.toString(),
                "--report",
                report.toString());

        assertThat(run.status()).as(run.out() + run.err()).isZero();
        assertThat(run.out())
                .contains("by way of Kafka", "400 records, 400 different")
                .contains("exact: each order line took effect once, to the penny, and was published once");
        JsonNode json = JsonMapper.shared().readTree(Files.readString(report));
        assertThat(json.propertyNames()).contains("published");
        assertThat(json.get("published").get("records").asInt()).isEqualTo(LINES);
        assertThat(json.get("published").get("distinct").asInt()).isEqualTo(LINES);
        assertThat(json.get("billed").get("lines").asInt()).isEqualTo(LINES);
        assertThat(json.get("kills").asInt()).isEqualTo(4);
        try (ChildJvm db = ChildJvm.of(Main.class)
                .heap(256)
                .arguments("db", "--data", data.toString())
                .start()) {
            String kafka = db.awaitLine("kafka 127.0.0.1:", PATIENCE);
            assertThat(distinctLines(kafka.substring("kafka ".length()), "orders.placed"))
                    .hasSize(LINES);
            db.terminate();
            db.awaitExit(PATIENCE);
        }
    }

    @Test
    void a_kafka_that_is_there_is_used_and_left_as_it_was() throws Exception {
        Path properties = Files.writeString(folder.resolve("client.properties"), "client.id=demo\n");
        Path report = folder.resolve("report.json");
        try (EmbeddedKafka kafka = EmbeddedKafka.start()) {
            CommandRun run = CommandRun.of(
                    "demo",
                    "--kafka",
                    kafka.bootstrapServers(),
                    "--kafka-properties",
                    properties.toString(),
                    "--orders",
                    someOrders().toString(),
                    "--workers",
                    "1",
                    "--kills",
                    "1",
                    "--report",
                    report.toString());

            assertThat(run.status()).as(run.out() + run.err()).isZero();
            JsonNode published =
                    JsonMapper.shared().readTree(Files.readString(report)).get("published");
            assertThat(published.get("records").asInt()).isEqualTo(LINES);
            assertThat(kafka.isRunning()).isTrue();
            String topic = kafka.admin().listTopics().names().get(30, TimeUnit.SECONDS).stream()
                    .filter(name -> name.startsWith("orders.placed."))
                    .findFirst()
                    .orElseThrow();
            assertThat(run.out()).contains(topic);
            assertThat(distinctLines(kafka.bootstrapServers(), topic)).hasSize(LINES);
        }
    }

    @Test
    void a_kafka_that_is_not_there_ends_the_run_with_a_word() {
        CommandRun run = CommandRun.of("demo", "--kafka", "127.0.0.1:1");

        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains("Kafka at 127.0.0.1:1 can't be reached");
    }

    @Test
    void the_broker_and_the_relay_end_with_the_demo() throws Exception {
        ChildJvm demo = ChildJvm.of(Main.class)
                .heap(256)
                .arguments("demo", "--broker", "kafka", "--workers", "1", "--rate", "50")
                .start();
        demo.awaitLineAfter(0, line -> line.matches(".* applied [1-9].*"), PATIENCE);
        List<ProcessHandle> family =
                ProcessHandle.of(demo.pid()).orElseThrow().children().toList();
        // A shop, a billing, the relay, the broker.
        assertThat(family).hasSizeGreaterThanOrEqualTo(4).allMatch(ProcessHandle::isAlive);

        demo.kill9();

        await().atMost(PATIENCE).untilAsserted(() -> assertThat(family).noneMatch(DemoCrashTest::isWorking));
    }

    /** What a consumer of committed records sees, by invoice and position; no line may come twice. */
    private static Set<String> distinctLines(String servers, String topic) {
        Set<String> lines = new HashSet<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers", servers,
                        "isolation.level", "read_committed",
                        "auto.offset.reset", "earliest",
                        "enable.auto.commit", "false"),
                new StringDeserializer(),
                new StringDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            consumer.partitionsFor(topic).forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            await().atMost(PATIENCE).pollInSameThread().until(() -> {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    JsonNode placed = JsonMapper.shared().readTree(record.value());
                    assertThat(lines.add(placed.get("invoice").asString() + "/"
                                    + placed.get("line").asInt()))
                            .as(record.value())
                            .isTrue();
                }
                return partitions.stream().allMatch(partition -> consumer.position(partition) >= ends.get(partition));
            });
        }
        return lines;
    }

    private Path someOrders() throws IOException {
        try (InputStream in = KafkaDemoCrashTest.class.getResourceAsStream("online-retail.csv")) {
            List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            return Files.write(folder.resolve("orders.csv"), lines.subList(0, LINES + 1));
        }
    }
}
