package dev.hapax.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Shop;
import dev.hapax.consume.Consumer;
import dev.hapax.control.Control.Kind;
import dev.hapax.control.History.Rewind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A database that goes back in time. Here only its beats do; {@code OutageCrashTest} restores real servers. */
@Tag("slow")
class HistoryContractTest {

    private static final String TOPIC = "orders.placed";
    private static final String NEWEST = "SELECT max(number) FROM hapax.beat";

    @TempDir
    Path directory;

    private Shop shop;

    @BeforeEach
    void open() {
        shop = Shop.open();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private Consumer consumer() {
        return shop.hapax
                .consumer("billing")
                .topic(TOPIC)
                .handle(String.class, (body, tx) -> Shop.effect(tx.connection(), body))
                .start();
    }

    private void publish(String body) {
        shop.hapax.once(Shop.newKey()).run(tx -> tx.publish(TOPIC, body, body));
    }

    /** Works until the history has gone on by some beats, and somebody has seen it. */
    private void awaitBeats(int more) throws SQLException {
        long goal = shop.database.queryLong(NEWEST) + more;
        await().until(() -> {
            publish("beat");
            return shop.database.queryLong(NEWEST) >= goal;
        });
    }

    /** As a restore would: the last beats are gone, and others take their numbers. */
    private void goBack(int beats) throws SQLException {
        shop.database.execute(
                "BEGIN; CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT number FROM hapax.beat ORDER BY number DESC LIMIT "
                        + beats + "; DELETE FROM hapax.beat WHERE number IN (SELECT number FROM gone);"
                        + " INSERT INTO hapax.beat (number) SELECT number FROM gone; COMMIT");
    }

    private List<Rewind> awaitRewind() {
        await().until(() -> !shop.hapax.history().rewinds().isEmpty());
        return shop.hapax.history().rewinds();
    }

    @Test
    void while_it_goes_on_nothing_is_found() throws SQLException {
        awaitBeats(3);
        assertThat(shop.hapax.history().rewinds()).isEmpty();
        assertThat(shop.hapax.history().accept("nothing", "me")).isFalse();
    }

    @Test
    void where_nothing_is_committed_it_does_not_beat() throws SQLException {
        awaitBeats(1);
        await().during(Duration.ofMillis(1_200))
                .atMost(Duration.ofSeconds(10))
                .until(() -> shop.database.queryLong(
                                "SELECT count(*) FROM hapax.beat WHERE beat_at > clock_timestamp() - interval '1 second'")
                        == 0);
    }

    @Test
    void readers_stand_still_until_an_operator_says_go() throws SQLException {
        try (Consumer running = consumer()) {
            publish("before");
            await().until(() -> shop.effects("before") == 1);
            awaitBeats(2);
            goBack(2);
            Rewind rewind = awaitRewind().getFirst();
            assertThat(rewind.foundBy()).isEqualTo("shop");
            assertThat(rewind.lostAfter())
                    .hasValueSatisfying(at -> assertThat(at).isBefore(rewind.lostUntil()));
            assertThat(rewind.accepted()).isEmpty();
            assertThat(shop.hapax.control().list())
                    .singleElement()
                    .satisfies(paused -> assertThat(paused.reason()).contains("./hapax history show"));

            await().until(() -> {
                publish("while");
                return running.lag().messages() > 3;
            });
            assertThatThrownBy(() -> shop.hapax.control().resume(Kind.CONSUMER, "*"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("history accept");
            try (Hapax another = Shop.builder(shop.pool).open()) {
                assertThat(another.history().accept("sent again", "operator")).isTrue();
            }
            await().until(() -> running.lag().messages() == 0);
            assertThat(shop.hapax.control().list()).isEmpty();
            assertThat(shop.hapax.history().rewinds().getFirst().accepted())
                    .hasValueSatisfying(
                            accepted -> assertThat(accepted.reason()).isEqualTo("sent again"));
        }
    }

    @Test
    void it_is_seen_when_the_numbers_have_grown_past_it_and_recorded_once_by_many_processes() throws SQLException {
        try (Hapax another = Shop.builder(shop.pool).open()) {
            awaitBeats(2);
            shop.database.execute(
                    "INSERT INTO hapax.beat (number) SELECT (" + NEWEST + ") + n FROM generate_series(1, 100) n");
            await().until(() -> another.history().rewinds().isEmpty());
            awaitBeats(2);
            goBack(60);
            awaitRewind();
            awaitBeats(3);
            assertThat(shop.hapax.history().rewinds()).hasSize(1);
        }
    }

    @Test
    void beats_that_were_thinned_out_are_not_missed() throws Exception {
        awaitBeats(1);
        shop.hapax.close();
        Path witness = directory.resolve("witness");
        try (Hapax first = Shop.builder(shop.pool).historyWitness(witness).open()) {
            assertThat(first.history().rewinds()).isEmpty();
        }
        shop.database.execute(
                "INSERT INTO hapax.beat (number) SELECT (" + NEWEST + ") + n FROM generate_series(1, 20001) n");
        try (Hapax keeping = Shop.builder(shop.pool).open()) {
            keeping.housekeep();
            assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.beat"))
                    .isLessThan(10_100);
            assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.beat WHERE number = 0"))
                    .isEqualTo(1);
        }
        Path copy = Files.copy(witness, directory.resolve("copy"));
        try (Hapax second = Shop.builder(shop.pool).historyWitness(witness).open()) {
            assertThat(second.history().rewinds()).isEmpty();
        }
        shop.database.execute("UPDATE hapax.beat SET nonce = gen_random_uuid() WHERE number = 0");
        try (Hapax third = Shop.builder(shop.pool).historyWitness(copy).open()) {
            assertThat(third.history().rewinds()).hasSize(1);
        }
    }

    @Test
    void a_process_that_was_not_running_notices_by_its_witness_and_only_by_it() throws SQLException {
        awaitBeats(2);
        shop.hapax.close();
        Path witness = directory.resolve("witness");
        Shop.builder(shop.pool).historyWitness(witness).open().close();
        assertThat(witness).exists();
        goBack(2);
        try (Hapax forgetful = Shop.builder(shop.pool).open()) {
            assertThat(forgetful.history().rewinds()).isEmpty();
        }
        try (Hapax remembering = Shop.builder(shop.pool).historyWitness(witness).open()) {
            assertThat(remembering.history().rewinds()).hasSize(1);
            assertThat(remembering.history().accept("known", "me")).isTrue();
        }
        try (Hapax again = Shop.builder(shop.pool).historyWitness(witness).open()) {
            assertThat(again.history().rewinds()).hasSize(1);
        }
    }

    @Test
    void another_database_is_taken_for_one_that_went_back() throws SQLException {
        awaitBeats(2);
        Path witness = directory.resolve("witness");
        Shop.builder(shop.pool).historyWitness(witness).open().close();
        try (Shop other = Shop.open(builder -> builder.historyWitness(witness))) {
            assertThat(other.hapax.history().rewinds())
                    .singleElement()
                    .satisfies(rewind -> assertThat(rewind.lostAfter()).isEmpty());
        }
    }

    @Test
    void a_witness_that_says_nothing_clear_is_refused() throws Exception {
        Path witness = Files.writeString(directory.resolve("witness"), "hapax history witness 1\n7 x\n\n");
        assertThatThrownBy(() -> Shop.builder(shop.pool).historyWitness(witness).open())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(witness.toString())
                .hasMessageContaining("delete the file");
        assertThatThrownBy(() -> Shop.builder(shop.pool)
                        .historyWitness(directory.resolve("nowhere/witness"))
                        .open())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("can't be written");
    }

    @Test
    void what_was_remembered_of_the_lost_history_is_forgotten() throws SQLException {
        publish("x");
        long scope = shop.database.queryLong("SELECT id FROM hapax.scope WHERE name = 'orders'");
        awaitBeats(2);
        shop.database.execute("DELETE FROM hapax.scope; DELETE FROM hapax.producer");
        goBack(2);
        awaitRewind();
        publish("y");
        assertThat(shop.database.queryLong("SELECT id FROM hapax.scope WHERE name = 'orders'"))
                .isEqualTo(scope);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.marker"))
                .isEqualTo(shop.database.queryLong("SELECT count(*) FROM hapax.marker_30"));
    }
}
