package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Consumer;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.kafka.KafkaSource;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The commands on a consumer of Kafka, typed; what they did is counted in the rows of its effects. */
@Tag("slow")
class KafkaConsumerCommandContractTest {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private final EmbeddedKafka kafka = EmbeddedKafka.shared();
    private final String topic = "orders-" + NUMBERS.incrementAndGet();
    private Shop shop;
    private KafkaProducer<String, String> producer;

    @BeforeEach
    void open() throws SQLException {
        shop = new Shop();
        kafka.createTopic(topic, 2);
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()), new StringSerializer(), new StringSerializer());
    }

    @AfterEach
    void close() {
        producer.close();
        shop.close();
    }

    private void send(int from, int to) {
        for (int n = from; n < to; n++) {
            producer.send(new ProducerRecord<>(topic, n % 2, "customer", "order-" + n));
        }
        producer.flush();
    }

    private ConsumerBuilder invoices() {
        return shop.open()
                .consumer("invoices")
                .from(KafkaSource.topic(
                                topic,
                                Map.of("bootstrap.servers", kafka.bootstrapServers(), "heartbeat.interval.ms", "500"))
                        .decode(record -> new String(record.value(), StandardCharsets.UTF_8)))
                .handle(String.class, (body, tx) -> Shop.bill(tx.connection(), "billing", "x", body));
    }

    private void awaitDone(long billed, long position) {
        await().atMost(LONG)
                .until(() -> shop.number("SELECT count(*) FROM billed") == billed
                        && shop.number("SELECT sum(next_offset) FROM hapax.kafka_position") == position);
    }

    private String at() {
        return kafka.bootstrapServers();
    }

    @Test
    void it_is_listed_and_shown_with_its_partitions_and_the_broker_says_how_far_it_is_behind() {
        send(0, 10);
        try (Consumer running = invoices().start()) {
            awaitDone(10, 10);
            JsonNode row = shop.shell
                    .run("consumer", "list", "--json")
                    .endsWith(0)
                    .json()
                    .get(0);
            assertThat(row.get("name").asString()).isEqualTo("invoices");
            assertThat(row.get("source").asString()).isEqualTo("kafka");
            assertThat(row.get("state").asString()).isEqualTo("running");
            assertThat(row.get("position").asLong()).isEqualTo(10);
            assertThat(row.get("lanesOwned").asInt()).isEqualTo(2);
        }
        send(10, 14);
        assertThat(shop.shell.ok("consumer", "show", "invoices"))
                .contains("stopped")
                .contains(topic);
        JsonNode lag = shop.shell
                .run("consumer", "lag", "invoices", "--kafka", at(), "--json")
                .endsWith(0)
                .json();
        assertThat(lag).hasSize(2);
        for (JsonNode partition : lag) {
            assertThat(partition.get("topic").asString()).isEqualTo(topic);
            assertThat(partition.get("position").asLong()).isEqualTo(5);
            assertThat(partition.get("end").asLong()).isEqualTo(7);
            assertThat(partition.get("lagMessages").asLong()).isEqualTo(2);
        }
        assertThat(shop.shell.ok("consumer", "lag", "invoices")).contains("PARTITION");
    }

    @Test
    void by_position_alone_a_replay_says_that_it_would_apply_again_and_does_so_only_with_yes() {
        send(0, 10);
        try (Consumer running = invoices().start()) {
            awaitDone(10, 10);
            Shell.Ran asked = shop.shell
                    .run("consumer", "replay", "invoices", "--from", "beginning", "--kafka", at())
                    .endsWith(Commands.USAGE);
            assertThat(asked.out()).contains("up to 10 messages would be read again, and APPLIED AGAIN");
            assertThat(asked.err()).contains("add --yes");
            assertThat(shop.number("SELECT count(*) FROM billed")).isEqualTo(10);

            assertThat(shop.shell.ok("consumer", "replay", "invoices", "--from", "beginning", "--kafka", at(), "--yes"))
                    .contains("goes on there (2 positions moved)");
            awaitDone(20, 10);
        }
        assertThat(shop.number("SELECT count(DISTINCT body) FROM billed")).isEqualTo(10);
    }

    @Test
    void by_key_a_replay_is_safe_and_needs_no_word() {
        send(0, 10);
        try (Consumer running = invoices().deduplicateById().start()) {
            awaitDone(10, 10);
            assertThat(shop.shell.ok("consumer", "replay", "invoices", "--from", "beginning", "--kafka", at()))
                    .contains("and not applied again");
            awaitDone(10, 10);
        }
    }

    @Test
    void one_partition_is_moved_to_an_offset_to_a_time_and_to_the_end(@TempDir Path folder) throws Exception {
        Path properties = Files.writeString(folder.resolve("client.properties"), "client.id=operator\n");
        send(0, 10);
        try (Consumer running = invoices().start()) {
            awaitDone(10, 10);
        }
        String[] seek = {"consumer", "seek", "invoices", "--topic", topic, "--partition", "1"};
        assertThat(shop.shell
                        .run(with(seek, "--to", "3"))
                        .endsWith(Commands.USAGE)
                        .out())
                .containsPattern(topic + "/1 +5 +3 +2 +0 +0");
        shop.shell.run(with(seek, "--to", "99", "--kafka", at(), "--yes")).endsWith(Commands.PROBLEM);
        shop.shell.ok(with(seek, "--to", "3", "--kafka", at(), "--kafka-properties", properties.toString(), "--yes"));
        assertThat(shop.texts("SELECT next_offset FROM hapax.kafka_position ORDER BY partition"))
                .containsExactly("5", "3");
        shop.shell.ok(with(seek, "--to", "2020-01-01T00:00:00Z", "--kafka", at(), "--yes"));
        assertThat(shop.texts("SELECT next_offset FROM hapax.kafka_position ORDER BY partition"))
                .containsExactly("5", "0");
        assertThat(shop.shell.ok(with(seek, "--to", "end", "--kafka", at(), "--yes")))
                .contains("would NEVER be applied");
        try (Consumer running = invoices().start()) {
            send(10, 12);
            awaitDone(12, 12);
        }
    }

    private static String[] with(String[] words, String... more) {
        String[] all = java.util.Arrays.copyOf(words, words.length + more.length);
        System.arraycopy(more, 0, all, words.length, more.length);
        return all;
    }

    @Test
    void what_cant_be_meant_is_refused_before_anything_is_changed() {
        send(0, 4);
        try (Consumer running = invoices().start()) {
            awaitDone(4, 4);
        }
        shop.start().close();
        refused(Commands.USAGE, "give --kafka HOST:PORT", "seek", "invoices", "--to", "beginning", "--yes");
        refused(Commands.USAGE, "an offset is one partition's", "seek", "invoices", "--to", "1", "--yes");
        refused(Commands.USAGE, "a time such as", "seek", "invoices", "--to", "noon", "--yes");
        refused(Commands.USAGE, "needs --topic", "seek", "invoices", "--to", "1", "--partition", "0");
        refused(Commands.USAGE, "lanes have numbers of their own", "seek", "billing", "--to", "1", "--yes");
        refused(Commands.USAGE, "it has no topics", "seek", "billing", "--to", "end", "--topic", topic);
        refused(Commands.PROBLEM, "has no position there", "seek", "invoices", "--to", "end", "--topic", "others");
        refused(Commands.PROBLEM, "there is no consumer nobody", "replay", "nobody", "--from", "beginning");
        assertThat(shop.texts("SELECT next_offset FROM hapax.kafka_position ORDER BY partition"))
                .containsExactly("2", "2");
    }

    private void refused(int status, String why, String... words) {
        String[] all = new String[words.length + 1];
        all[0] = "consumer";
        System.arraycopy(words, 0, all, 1, words.length);
        assertThat(shop.shell.run(all).endsWith(status).err()).contains(why);
    }
}
