package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Consumers.Consequences;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Where a consumer of the log goes on when a person says so, counted in the rows of its effects. */
@Tag("slow")
class SeekContractTest extends ConsumerFixture {

    private static final Duration LEASE = Duration.ofMillis(500);

    private Consumers consumers() {
        return shop.hapax.consumers();
    }

    private void publishNumbers(int from, int to) throws SQLException {
        for (int n = from; n < to; n++) {
            publish("key-" + n % 5, Integer.toString(n));
        }
    }

    private void awaitDone(long count) {
        await().until(() -> count() == count && unread() == 0);
    }

    private long unread() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.log l JOIN hapax.position p ON p.lane = l.lane"
                + " WHERE l.number > p.low AND NOT p.done @> l.number");
    }

    @Test
    void with_a_key_a_replay_reads_all_again_and_applies_nothing_again() throws SQLException {
        try (Consumer running = writing("one").deduplicateById().lease(LEASE).start()) {
            publishNumbers(0, 20);
            awaitDone(20);
            Move move = consumers()
                    .replay("one", Start.BEGINNING, Consequences.REFUSE)
                    .orElseThrow();
            assertThat(move.readAgain()).isEqualTo(20);
            assertThat(move.isHarmless()).isTrue();
            publishNumbers(20, 25);
            awaitDone(25);
        }
        assertThat(shop.database.queryLong("SELECT count(DISTINCT body) FROM handled"))
                .isEqualTo(25);
    }

    @Test
    void without_a_key_a_replay_is_refused_until_it_is_accepted_that_all_is_applied_again() throws SQLException {
        try (Consumer running = writing("one").lease(LEASE).start()) {
            publishNumbers(0, 20);
            awaitDone(20);
            assertThatThrownBy(() -> consumers().replay("one", Start.BEGINNING, Consequences.REFUSE))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("would apply up to 20 messages again");
            assertThat(consumers()
                            .replay("one", Start.BEGINNING, Consequences.PREVIEW)
                            .orElseThrow()
                            .appliedAgain())
                    .isEqualTo(20);
            assertThat(count()).isEqualTo(20);

            consumers().replay("one", Start.BEGINNING, Consequences.ACCEPT);
            awaitDone(40);
        }
        assertThat(handled("key-1")).containsExactly("1", "6", "11", "16", "1", "6", "11", "16");
    }

    @Test
    void what_is_in_flight_while_a_consumer_is_moved_is_rolled_back() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger calls = new AtomicInteger();
        publish("a", "1");
        try (Consumer running = consumer("one")
                .lease(LEASE)
                .handle(String.class, (body, tx) -> {
                    calls.incrementAndGet();
                    handled(tx.connection(), tx.message().messageKey(), body);
                    inside.countDown();
                    assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
                })
                .start()) {
            assertThat(inside.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(consumers()
                            .seek("one", Start.NOW, Consequences.ACCEPT)
                            .orElseThrow()
                            .skipped())
                    .isEqualTo(1);
            goOn.countDown();
            publish("b", "2");
            await().until(() -> !handled("b").isEmpty());
        }
        assertThat(handled("a")).isEmpty();
        assertThat(calls.get()).isEqualTo(2);
    }

    @Test
    void a_replay_from_a_time_begins_with_what_was_published_then() throws SQLException {
        publishNumbers(0, 10);
        shop.database.execute("UPDATE hapax.log SET published_at = published_at - interval '1 hour'");
        Instant since = Instant.now().minusSeconds(600);
        publishNumbers(10, 20);
        try (Consumer running = writing("one").lease(LEASE).start()) {
            awaitDone(20);
        }
        Move move =
                consumers().replay("one", Start.at(since), Consequences.ACCEPT).orElseThrow();
        assertThat(move.readAgain()).isEqualTo(10);
        try (Consumer running = writing("one").lease(LEASE).start()) {
            awaitDone(30);
        }
        assertThat(handled("key-0")).containsExactly("0", "5", "10", "15", "10", "15");
    }

    @Test
    void a_message_that_was_set_aside_is_read_again_in_its_turn() throws SQLException {
        Set<String> broken = ConcurrentHashMap.newKeySet();
        broken.add("2");
        try (Consumer running = consumer("one")
                .deduplicateById()
                .quarantineAfter(1)
                .lease(LEASE)
                .handle(String.class, (body, tx) -> {
                    if (broken.contains(body)) {
                        throw new IllegalStateException("it fails");
                    }
                    handled(tx.connection(), tx.message().messageKey(), body);
                })
                .start()) {
            for (String body : new String[] {"1", "2", "3"}) {
                publish("a", body);
            }
            await().until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.held") == 2);
            broken.clear();
            Move move = consumers()
                    .replay("one", Start.BEGINNING, Consequences.REFUSE)
                    .orElseThrow();
            assertThat(move.steps())
                    .singleElement()
                    .satisfies(step -> assertThat(step.held()).isEqualTo(2));
            await().until(() -> handled("a").size() == 3);
        }
        assertThat(handled("a")).containsExactly("1", "2", "3");
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held")).isZero();
    }

    @Test
    void a_relay_and_a_stranger_are_not_moved() throws SQLException {
        assertThat(consumers().seek("nobody", Start.NOW, Consequences.ACCEPT)).isEmpty();
        shop.database.execute("INSERT INTO hapax.relay (name, mode) VALUES ('to-kafka', 'EXACTLY_ONCE')");
        assertThatThrownBy(() -> consumers().seek("to-kafka", Start.BEGINNING, Consequences.ACCEPT))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("to-kafka is a relay");
    }
}
