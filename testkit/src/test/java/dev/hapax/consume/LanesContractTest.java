package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Shop;
import dev.hapax.control.Control;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Who works on what: shares, takeover, pause, stop, retention. */
@Tag("slow")
class LanesContractTest extends ConsumerFixture {

    @Test
    void processes_share_the_lanes_and_hand_them_over() throws SQLException {
        try (Hapax other = Shop.builder(shop.pool).open();
                Consumer one = writing("shared").start()) {
            await().until(() -> lanesOwned() == 16 && owners() == 1);
            try (Consumer two = other.consumer("shared")
                    .topic(TOPIC)
                    .handle(
                            String.class,
                            (body, tx) -> handled(tx.connection(), tx.message().messageKey(), body))
                    .start()) {
                await().until(() -> owners() == 2 && lanesOwned() == 16);
                for (int i = 0; i < 200; i++) {
                    publish("k" + i % 20, "m" + i);
                }
                await().until(() -> count() >= 200);
            }
            await().until(() -> owners() == 1 && lanesOwned() == 16);
        }
        assertThat(count()).isEqualTo(200);
        assertThat(lanesOwned()).isZero();
    }

    private long owners() throws SQLException {
        return shop.database.queryLong("SELECT count(DISTINCT owner) FROM hapax.position");
    }

    private long lanesOwned() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE owner IS NOT NULL");
    }

    @Test
    void a_stale_owner_changes_nothing() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger runs = new AtomicInteger();
        try (Consumer running = consumer("one")
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    if (runs.incrementAndGet() == 1) {
                        inside.countDown();
                        go.await();
                    }
                })
                .start()) {
            publish("a", "1");
            inside.await();
            // Another has taken over while the first is still at it.
            shop.database.execute(
                    "UPDATE hapax.position SET token = token + 1, owner = 'another', leased_until = now() + interval '1 second'");
            go.countDown();
            await().until(() -> runs.get() >= 2 && count() == 1);
        }
        assertThat(handled("a")).containsExactly("1");
    }

    @Test
    void a_paused_consumer_takes_nothing_until_it_is_resumed() throws SQLException {
        try (Consumer running = writing("one").start()) {
            publish("a", "1");
            await().until(() -> count() == 1);
            assertThat(shop.hapax.control().pause(Control.Kind.CONSUMER, "one", "test", "me"))
                    .isTrue();
            assertThat(shop.hapax.control().pause(Control.Kind.CONSUMER, "one", "test", "me"))
                    .isFalse();
            await().until(() -> {
                publish("a", "x");
                return running.lag().messages() > 3;
            });
            long before = count();
            assertThat(shop.hapax.control().resume(Control.Kind.CONSUMER, "one"))
                    .isTrue();
            await().until(() -> running.lag().messages() == 0);
            assertThat(count()).isGreaterThan(before);
        }
    }

    @Test
    void a_stop_ends_the_batch_in_flight_and_gives_the_lanes_back() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        Consumer running = consumer("one")
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    inside.countDown();
                })
                .start();
        publish("a", "1");
        inside.await();
        assertThat(running.stop(Duration.ofSeconds(5))).isTrue();
        assertThat(handled("a")).containsExactly("1");
        assertThat(lanesOwned()).isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.member")).isZero();
    }

    @Test
    void a_handler_that_does_not_end_is_rolled_back_at_the_deadline() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        Consumer running = consumer("one")
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    inside.countDown();
                    never.await();
                })
                .start();
        publish("a", "1");
        inside.await();
        assertThat(running.stop(Duration.ofMillis(300))).isFalse();
        assertThat(count()).isZero();
        try (Consumer again = writing("one").start()) {
            await().until(() -> count() == 1);
        }
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held")).isZero();
    }

    @Test
    void a_day_of_the_log_is_dropped_only_when_all_readers_are_past_it() throws SQLException {
        publish("a", "old");
        shop.database.execute(
                "DO $$ BEGIN PERFORM hapax.ensure_partition('log', (now() AT TIME ZONE 'UTC')::date - 5);"
                        + " INSERT INTO hapax.log SELECT nextval('hapax.lane_3'), now(), null, (now() AT TIME ZONE 'UTC')::date - 5, 3, gen_random_uuid(), 'orders.placed', 'o', 'string', 's', 'p', 'k', null, 'old'; END $$");
        shop.database.execute("UPDATE hapax.tree SET keep_days = 1 WHERE name = 'log'");
        try (Consumer running = writing("reader").start()) {
            await().until(() -> count() == 2);
            shop.database.execute(
                    "INSERT INTO hapax.position (consumer, lane) SELECT 'behind', generate_series(0, 15)");
            shop.hapax.housekeep();
            assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.pruned WHERE tree = 'log'"))
                    .isZero();
            shop.database.execute("DELETE FROM hapax.position WHERE consumer = 'behind'");
            await().until(() -> shop.hapax.housekeep() >= 0
                    && shop.database.queryLong("SELECT count(*) FROM hapax.pruned WHERE tree = 'log'") == 1);
        }
        assertThat(count()).isEqualTo(2);
    }

    @Test
    void misuse_is_told_before_anything_starts() {
        assertThatThrownBy(() -> shop.hapax
                        .consumer("x")
                        .handle(String.class, (b, tx) -> {})
                        .start())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no topic");
        assertThatThrownBy(() -> shop.hapax.consumer("x").topic(TOPIC).start())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no handler");
        assertThatThrownBy(() -> shop.hapax.consumer("x y")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> shop.hapax.consumer("x").lease(Duration.ofMillis(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("PT0.5S");
        try (Consumer running = writing("x").start()) {
            assertThatThrownBy(() -> writing("x").start())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("already runs");
        }
    }
}
