package dev.hapax.kafka;

import static dev.hapax.kafka.RelayFixture.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Relays.Break;
import dev.hapax.consume.Relays.Decision;
import dev.hapax.kafka.KafkaRelay.State;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A failover of the database that loses commits: the numbers of what it lost are drawn again. */
@Tag("slow")
class HistoryContractTest {

    private RelayFixture fixture;

    @BeforeEach
    void open() {
        fixture = new RelayFixture();
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    /** The database as it was before some commits: rows are gone, and the sequences draw their numbers again. */
    private void lose(int last) throws Exception {
        fixture.database.execute("""
                DO $$
                DECLARE
                    kept bigint;
                BEGIN
                    FOR l IN 0..15 LOOP
                        DELETE FROM hapax.log WHERE lane = l AND number > (
                            SELECT coalesce(max(number), 0) FROM hapax.log WHERE lane = l) - %d;
                        SELECT max(number) INTO kept FROM hapax.log WHERE lane = l;
                        PERFORM setval('hapax.lane_' || l, coalesce(kept, 1), kept IS NOT NULL);
                    END LOOP;
                    UPDATE hapax.position SET low = least(low, (SELECT coalesce(max(number), 0) FROM hapax.log g WHERE g.lane = position.lane)), done = '{}';
                END $$""".formatted(last));
    }

    private List<Break> breakAfter(KafkaRelay relay) {
        await().atMost(LONG).until(() -> relay.state() == State.HALTED);
        return fixture.hapax.relays().breaks(100);
    }

    @Test
    void a_relay_stops_and_names_the_range_when_numbers_were_drawn_again() throws Exception {
        KafkaRelay relay = fixture.start();
        for (int i = 0; i < 10; i++) {
            fixture.publish("key", "old-" + i);
            int count = i + 1;
            await().atMost(LONG).until(() -> fixture.values().size() == count);
        }
        relay.close();
        lose(3);
        for (int i = 0; i < 5; i++) {
            fixture.publish("key", "new-" + i);
        }
        KafkaRelay again = fixture.start();
        List<Break> breaks = breakAfter(again);
        assertThat(breaks).hasSize(1);
        assertThat(breaks.getFirst().until()).isEqualTo(10);
        assertThat(breaks.getFirst().after()).isBetween(1L, 7L);
        assertThat(breaks.getFirst().found()).isPresent();
        assertThat(again.problem().orElseThrow()).contains("numbers").contains("in doubt");
        assertThat(fixture.values()).hasSize(10);
    }

    @Test
    void a_relay_that_runs_stops_before_it_publishes_anything_of_another_history() throws Exception {
        KafkaRelay relay = fixture.start();
        for (int i = 0; i < 10; i++) {
            fixture.publish("key", "old-" + i);
        }
        await().atMost(LONG).until(() -> fixture.values().size() == 10);
        lose(2);
        for (int i = 0; i < 5; i++) {
            fixture.publish("key", "new-" + i);
        }
        breakAfter(relay);
        assertThat(fixture.values()).noneMatch(value -> value.startsWith("new"));
    }

    @Test
    void lost_messages_whose_numbers_nobody_has_drawn_yet_stop_it_too() throws Exception {
        KafkaRelay relay = fixture.start();
        fixture.publish("key", "old-0");
        fixture.publish("key", "old-1");
        await().atMost(LONG).until(() -> fixture.values().size() == 2);
        lose(1);
        List<Break> breaks = breakAfter(relay);
        assertThat(breaks.getFirst().found()).isEmpty();
    }

    @Test
    void a_person_has_the_missing_ones_published_and_no_id_twice() throws Exception {
        KafkaRelay relay = fixture.start();
        for (int i = 0; i < 10; i++) {
            fixture.publish("key", "old-" + i);
            int count = i + 1;
            await().atMost(LONG).until(() -> fixture.values().size() == count);
        }
        lose(3);
        for (int i = 0; i < 5; i++) {
            fixture.publish("key", "new-" + i);
        }
        breakAfter(relay);
        assertThat(fixture.hapax.relays().decide("orders-relay", Decision.PUBLISH_MISSING, "me", "failover at noon"))
                .isEqualTo(1);
        await().atMost(LONG).until(() -> fixture.values().size() == 15);
        fixture.publish("key", "after");
        await().atMost(LONG).until(() -> fixture.values().size() == 16);
        assertThat(fixture.values())
                .doesNotHaveDuplicates()
                .endsWith("new-0", "new-1", "new-2", "new-3", "new-4", "after");
        await().atMost(LONG)
                .until(() -> fixture.hapax.relays().breaks(100).getFirst().done());
        assertThat(relay.state()).isEqualTo(State.RUNNING);
    }

    @Test
    void a_person_has_the_range_skipped() throws Exception {
        KafkaRelay relay = fixture.start();
        for (int i = 0; i < 10; i++) {
            fixture.publish("key", "old-" + i);
        }
        await().atMost(LONG).until(() -> fixture.values().size() == 10);
        lose(3);
        for (int i = 0; i < 5; i++) {
            fixture.publish("key", "new-" + i);
        }
        breakAfter(relay);
        fixture.hapax.relays().decide("orders-relay", Decision.SKIP, "me", "sent by hand");
        await().atMost(LONG).until(() -> relay.state() == State.RUNNING);
        fixture.publish("key", "after");
        await().atMost(LONG).until(() -> fixture.values().size() == 11);
        assertThat(fixture.values()).contains("after").noneMatch(value -> value.startsWith("new"));
    }

    @Test
    void a_log_whose_old_days_were_dropped_is_the_same_log() throws Exception {
        KafkaRelay relay = fixture.start();
        fixture.publish("key", "old");
        await().atMost(LONG).until(() -> fixture.values().size() == 1);
        relay.close();
        fixture.database.execute("UPDATE hapax.tree SET dropped_before = current_date + 1 WHERE name = 'log'");
        fixture.database.execute("DELETE FROM hapax.log");
        KafkaRelay again = fixture.start();
        await().atMost(LONG).until(() -> again.state() == State.RUNNING);
        assertThat(fixture.hapax.relays().breaks(10)).isEmpty();
    }
}
