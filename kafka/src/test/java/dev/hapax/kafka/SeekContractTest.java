package dev.hapax.kafka;

import static dev.hapax.kafka.SourceFixture.LONG;
import static dev.hapax.kafka.SourceFixture.bytes;
import static dev.hapax.kafka.SourceFixture.insert;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Consumer;
import dev.hapax.consume.Consumers;
import dev.hapax.consume.Consumers.Consequences;
import dev.hapax.consume.Move;
import dev.hapax.consume.SourcePosition;
import dev.hapax.consume.Start;
import dev.hapax.consume.source.SourceException;
import dev.hapax.consume.source.SourcePartition;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Where a consumer of a topic goes on when a person says so, counted in the rows of its effects. */
@Tag("slow")
class SeekContractTest {

    private SourceFixture fixture;
    private KafkaPlaces places;
    private Consumers consumers;

    @BeforeEach
    void open() {
        fixture = new SourceFixture();
        places = KafkaPlaces.at(fixture.properties());
        consumers = fixture.hapax.consumers();
    }

    @AfterEach
    void close() {
        places.close();
        fixture.close();
    }

    private List<SourcePartition> partitions() {
        return consumers.positions("billing").stream()
                .map(SourcePosition::partition)
                .toList();
    }

    private Move seek(Collection<SourcePartition> of, Start to, Consequences consequences) {
        KafkaPlaces.Found found = places.find(of, to);
        return consumers
                .seek("billing", found.numbers(), found.topics(), consequences)
                .orElseThrow();
    }

    private Move replay(Start from, Consequences consequences) {
        KafkaPlaces.Found found = places.find(partitions(), from);
        return consumers
                .replay("billing", found.numbers(), found.topics(), consequences)
                .orElseThrow();
    }

    private void awaitDone(long count, long position) {
        await().atMost(LONG).until(() -> fixture.count() == count && fixture.position("billing") == position);
    }

    @Test
    void with_a_key_a_replay_reads_all_again_and_applies_nothing_again() throws Exception {
        fixture.sendNumbers(0, 200);
        try (Consumer running = fixture.writing("billing").deduplicateById().start()) {
            awaitDone(200, 200);
            Move move = replay(Start.BEGINNING, Consequences.REFUSE);
            assertThat(move.readAgain()).isEqualTo(200);
            assertThat(move.isHarmless()).isTrue();
            await().atMost(LONG).until(() -> fixture.position("billing") == 200);
            fixture.sendNumbers(200, 300);
            awaitDone(300, 300);
        }
        assertThat(fixture.distinct()).isEqualTo(300);
    }

    @Test
    void without_a_key_a_replay_is_refused_until_it_is_accepted_that_all_is_applied_again() throws Exception {
        fixture.sendNumbers(0, 200);
        try (Consumer running = fixture.writing("billing").start()) {
            awaitDone(200, 200);
            assertThat(replay(Start.BEGINNING, Consequences.PREVIEW).appliedAgain())
                    .isEqualTo(200);
            assertThatThrownBy(() -> replay(Start.BEGINNING, Consequences.REFUSE))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("would apply up to 200 messages again");
            assertThat(fixture.position("billing")).isEqualTo(200);

            replay(Start.BEGINNING, Consequences.ACCEPT);
            awaitDone(400, 200);
        }
        assertThat(fixture.distinct()).isEqualTo(200);
    }

    @Test
    void a_consumer_that_does_not_run_goes_on_at_the_offset_that_it_was_given() throws Exception {
        for (int n = 0; n < 20; n++) {
            fixture.send(0, "a", "m" + n);
        }
        fixture.producer.flush();
        try (Consumer running = fixture.writing("billing").start()) {
            awaitDone(20, 20);
        }
        Map<SourcePartition, Long> to = Map.of(new SourcePartition(fixture.topic, 0), 15L);
        Move move = consumers.seek("billing", to, Map.of(), Consequences.ACCEPT).orElseThrow();
        assertThat(move.steps()).containsExactly(new Move.Step(fixture.topic + "/0", 20, 15, 5, 0, 0));
        try (Consumer running = fixture.writing("billing").start()) {
            awaitDone(25, 20);
        }
        assertThat(fixture.handled("a").subList(20, 25)).containsExactly("m15", "m16", "m17", "m18", "m19");
    }

    @Test
    void what_is_passed_over_is_counted_and_needs_a_word_as_well() throws Exception {
        fixture.sendNumbers(0, 40);
        try (Consumer running = fixture.writing("billing").start()) {
            awaitDone(40, 40);
        }
        fixture.sendNumbers(40, 100);
        assertThatThrownBy(() -> seek(partitions(), Start.NOW, Consequences.REFUSE))
                .hasMessageContaining("and up to 60 never");
        assertThat(seek(partitions(), Start.NOW, Consequences.ACCEPT).skipped()).isEqualTo(60);
        fixture.sendNumbers(100, 110);
        try (Consumer running = fixture.writing("billing").start()) {
            awaitDone(50, 110);
        }
        assertThat(fixture.distinct()).isEqualTo(50);
    }

    @Test
    void a_replay_from_a_time_moves_only_what_lies_behind_it() throws Exception {
        // Not longer ago than the broker keeps what it has: it removes what is older, once a minute.
        Instant noon = Instant.now().truncatedTo(ChronoUnit.SECONDS).minus(Duration.ofHours(1));
        for (int n = 0; n < 10; n++) {
            fixture.send(new ProducerRecord<>(
                    fixture.topic, 0, noon.plusSeconds(n).toEpochMilli(), bytes("a"), bytes("m" + n)));
        }
        fixture.send(1, "b", "other");
        fixture.producer.flush();
        try (Consumer running = fixture.writing("billing").deduplicateById().start()) {
            awaitDone(11, 11);
            Move move = replay(Start.at(noon.plusSeconds(7)), Consequences.REFUSE);
            assertThat(move.steps())
                    .contains(new Move.Step(fixture.topic + "/0", 10, 7, 3, 0, 0))
                    .allMatch(step -> step.to() < step.from());
            await().atMost(LONG).until(() -> fixture.position("billing") == 11);
        }
        assertThat(fixture.count()).isEqualTo(11);
        assertThat(replay(Start.NOW, Consequences.REFUSE).steps()).isEmpty();
    }

    @Test
    void a_stopped_partition_goes_on_where_it_is_told() throws Exception {
        fixture.sendNumbers(0, 40);
        try (Consumer running = fixture.writing("billing").start()) {
            awaitDone(40, 40);
        }
        fixture.sendNumbers(40, 440);
        fixture.kafka
                .admin()
                .deleteRecords(Map.of(fixture.partitions().getFirst(), RecordsToDelete.beforeOffset(50)))
                .all()
                .get(30, TimeUnit.SECONDS);
        try (Consumer running = fixture.writing("billing").start()) {
            await().atMost(LONG)
                    .until(() -> consumers.positions("billing").stream()
                            .anyMatch(position -> position.stopped().orElse("").contains("./hapax consumer seek")));
            SourcePartition first = new SourcePartition(fixture.topic, 0);
            assertThatThrownBy(() -> places.check(Map.of(first, 10L))).hasMessageContaining("it has 50 to");
            long lost =
                    seek(List.of(first), Start.BEGINNING, Consequences.ACCEPT).skipped();
            await().atMost(LONG).until(() -> fixture.count() == 440 - lost);
            assertThat(consumers.positions("billing"))
                    .allMatch(position -> position.stopped().isEmpty());
        }
        assertThat(fixture.distinct()).isEqualTo(fixture.count());
    }

    @Test
    void a_message_that_was_set_aside_is_read_again_in_its_turn_and_applied_once() throws Exception {
        Set<String> broken = ConcurrentHashMap.newKeySet();
        broken.add("m2");
        for (int n = 0; n < 5; n++) {
            fixture.send(0, "a", "m" + n);
        }
        fixture.producer.flush();
        try (Consumer running = fixture.consumer("billing")
                .deduplicateById()
                .quarantineAfter(1)
                .handle(String.class, (body, tx) -> {
                    if (broken.contains(body)) {
                        throw new IllegalStateException("it fails");
                    }
                    insert(tx.connection(), tx.message(), body);
                })
                .start()) {
            await().atMost(LONG).until(() -> fixture.held("QUARANTINED") == 1 && fixture.held("WAITING") == 2);
            Map<SourcePartition, Long> first = Map.of(new SourcePartition(fixture.topic, 0), 0L);
            assertThatThrownBy(() -> consumers.replay("billing", first, Map.of(), Consequences.ACCEPT))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("holds 3 messages");
            broken.clear();
            assertThat(replay(Start.BEGINNING, Consequences.REFUSE).steps())
                    .contains(new Move.Step(fixture.topic + "/0", 5, 0, 5, 0, 3));
            await().atMost(LONG).until(() -> fixture.count() == 5);
        }
        assertThat(fixture.handled("a")).containsExactly("m0", "m1", "m2", "m3", "m4");
        assertThat(fixture.database.queryLong("SELECT count(*) FROM hapax.held"))
                .isZero();
    }

    @Test
    void what_is_not_there_is_refused() {
        SourcePartition foreign = new SourcePartition("no-such-topic", 0);
        assertThatThrownBy(() -> places.find(List.of(foreign), Start.BEGINNING))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no-such-topic/0");
        assertThat(places.ranges(List.of(foreign))).isEmpty();
        assertThat(consumers.seek("nobody", Map.of(foreign, 0L), Map.of(), Consequences.ACCEPT))
                .isEmpty();
        try (KafkaPlaces nowhere = KafkaPlaces.at(Map.of(
                "bootstrap.servers", "127.0.0.1:1", "request.timeout.ms", 500, "default.api.timeout.ms", 1_000))) {
            assertThatThrownBy(() -> nowhere.ranges(List.of(foreign))).isInstanceOf(SourceException.class);
        }
    }
}
