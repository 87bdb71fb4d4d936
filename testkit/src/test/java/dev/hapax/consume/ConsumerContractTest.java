package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.internal.ChildIds;
import dev.hapax.once.Verdict;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What arrives, in which order, and from where on. */
class ConsumerContractTest extends ConsumerFixture {

    @Test
    void each_message_is_handled_once_in_the_order_of_its_key() throws SQLException {
        for (int i = 0; i < 300; i++) {
            publish("key-" + i % 7, "m" + i);
        }
        try (Consumer running = writing("billing").start()) {
            await().until(() -> count() >= 300);
            publish("key-0", "last");
            await().until(() -> count() >= 301);
            assertThat(running.name()).isEqualTo("billing");
        }
        assertThat(count()).isEqualTo(301);
        for (int key = 0; key < 7; key++) {
            List<String> expected = new ArrayList<>();
            for (int i = key; i < 300; i += 7) {
                expected.add("m" + i);
            }
            if (key == 0) {
                expected.add("last");
            }
            assertThat(handled("key-" + key)).isEqualTo(expected);
        }
    }

    @Test
    void two_consumers_read_independently_and_go_on_where_they_stopped() throws SQLException {
        publish("a", "1");
        try (Consumer first = writing("one").start();
                Consumer second = writing("two").start()) {
            await().until(() -> count() == 2);
        }
        publish("a", "2");
        try (Consumer again = writing("one").start()) {
            await().until(() -> count() == 3);
        }
        assertThat(handled("a")).containsExactly("1", "1", "2");
    }

    @Test
    void other_topics_are_passed_over() throws SQLException {
        shop.hapax.once(Shop.newKey()).run(tx -> {
            tx.publish("other", "a", "other");
            tx.publish(TOPIC, "a", "mine");
        });
        try (Consumer running = writing("one").start()) {
            await().until(() -> count() == 1);
            await().until(() -> running.lag().messages() == 0);
        }
        assertThat(handled("a")).containsExactly("mine");
    }

    @Test
    void a_slow_commit_is_neither_skipped_nor_waited_for() throws Exception {
        try (Consumer running = writing("one").start();
                Connection slow = shop.pool.getConnection()) {
            slow.setAutoCommit(false);
            String lane = sameLaneAs("slow");
            shop.hapax.once(Shop.newKey()).on(slow).run(tx -> tx.publish(TOPIC, "slow", "slow"));
            flush(slow);
            for (int i = 0; i < 20; i++) {
                publish(lane, "fast-" + i);
            }
            await().until(() -> count() == 20);
            // The position stands in front of the missing number, and what is done above it is noted.
            assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE done <> '{}'"))
                    .isEqualTo(1);
            slow.commit();
            await().until(() -> count() == 21);
            await().until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE done <> '{}'") == 0);
        }
        assertThat(handled("slow")).containsExactly("slow");
    }

    /** Messages of a joined transaction are written at the end of its once; this makes sure that they are. */
    private static void flush(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM hapax.log WHERE message_key = 'slow'")) {
            row.next();
            assertThat(row.getInt(1)).isEqualTo(1);
        }
    }

    private static String sameLaneAs(String key) {
        for (int i = 0; ; i++) {
            String candidate = "k" + i;
            if (dev.hapax.internal.log.Lanes.of(candidate) == dev.hapax.internal.log.Lanes.of(key)) {
                return candidate;
            }
        }
    }

    /** As from another process: a transaction of the caller's wakes nobody. */
    @Test
    void an_idle_reader_finds_what_nobody_tells_it_of() throws Exception {
        try (Consumer running = writing("one").start();
                Connection theirs = shop.pool.getConnection()) {
            publish("a", "told");
            await().until(() -> count() == 1);
            theirs.setAutoCommit(false);
            shop.hapax.once(Shop.newKey()).on(theirs).run(tx -> tx.publish(TOPIC, "a", "open for a while"));
            // Its number is seen before it can be read.
            await().until(() -> running.lag().messages() == 1);
            theirs.commit();
            await().until(() -> count() == 2);
            for (int i = 1; i <= 3; i++) {
                await().until(() -> running.lag().messages() == 0);
                shop.hapax.once(Shop.newKey()).on(theirs).run(tx -> tx.publish(TOPIC, "b", "committed at once"));
                theirs.commit();
                long expected = 2L + i;
                await().until(() -> count() == expected);
            }
        }
    }

    @Test
    void a_reader_goes_on_past_numbers_that_were_rolled_back_while_an_unrelated_transaction_is_open() throws Exception {
        try (Consumer running = writing("one").start();
                Connection longer = shop.pool.getConnection();
                Statement statement = longer.createStatement()) {
            longer.setAutoCommit(false);
            // It has an xid before the number is drawn, so it might have drawn it, for all that a snapshot tells.
            statement.execute("SELECT pg_current_xact_id()");
            try (Connection gone = shop.pool.getConnection()) {
                gone.setAutoCommit(false);
                shop.hapax.once(Shop.newKey()).on(gone).run(tx -> tx.publish(TOPIC, "slow", "never"));
                gone.rollback();
            }
            for (int i = 0; i < 51; i++) {
                publish("slow", "meanwhile-" + i);
            }
            await().until(() -> count() == 51);
            assertThat(torn()).as("positions with a gap").isEqualTo(1);
            longer.rollback();
            await().until(() -> torn() == 0);
            assertThat(running.lag().messages()).isZero();
        }
        assertThat(handled("slow")).hasSize(51).doesNotContain("never");
    }

    private long torn() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE done <> '{}'");
    }

    @Test
    @Tag("slow")
    void a_sequence_that_jumps_far_ahead_is_followed() throws SQLException {
        try (Consumer running = writing("one").start()) {
            publish("a", "1");
            await().until(() -> count() == 1);
            shop.database.execute("SELECT setval('hapax.lane_" + dev.hapax.internal.log.Lanes.of("a") + "', 5000000)");
            publish("a", "2");
            await().until(() -> count() == 2);
        }
        assertThat(handled("a")).containsExactly("1", "2");
    }

    @Test
    @Tag("slow")
    void a_look_reads_what_it_returns_and_not_the_backlog_even_in_a_day_without_statistics() throws SQLException {
        int messages = 20_000;
        String leaf = "hapax.log_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD') || '";
        shop.database.execute("DO $$ BEGIN EXECUTE 'ALTER TABLE " + leaf + " SET (autovacuum_enabled = off)';"
                + " EXECUTE 'INSERT INTO " + leaf
                + " (number, day, lane, id, topic, message_key, type, scope, producer, key, body)"
                + " SELECT nextval(''hapax.lane_'' || i % 16), (now() AT TIME ZONE ''UTC'')::date, i % 16, gen_random_uuid(), ''"
                + TOPIC
                + "'', ''k'' || i, ''string'', ''s'', ''p'', i, ''x'' FROM generate_series(1, " + messages
                + ") i'; END $$");
        AtomicInteger handled = new AtomicInteger();
        try (Consumer running = consumer("one")
                .handle(String.class, (body, tx) -> handled.incrementAndGet())
                .start()) {
            await().atMost(Duration.ofSeconds(60)).until(() -> handled.get() >= messages);
        }
        assertThat(handled.get()).isEqualTo(messages);
        shop.database.execute("SELECT pg_stat_force_next_flush()");
        await().until(() -> read() > messages / 2);
        assertThat(read()).isLessThan(4L * messages);
    }

    private long read() throws SQLException {
        return shop.database.queryLong(
                "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'log_2%'");
    }

    @Test
    void what_a_handler_publishes_commits_with_its_effect() throws SQLException {
        try (Consumer first = consumer("first")
                        .handle(String.class, (body, tx) -> {
                            handled(tx.connection(), "first", body);
                            tx.publish("next", tx.message().messageKey(), body + "!");
                        })
                        .start();
                Consumer second = shop.hapax
                        .consumer("second")
                        .topic("next")
                        .handle(String.class, (body, tx) -> handled(tx.connection(), "second", body))
                        .start()) {
            publish("a", "1");
            publish("a", "2");
            await().until(() -> count() == 4);
        }
        assertThat(handled("first")).containsExactly("1", "2");
        assertThat(handled("second")).containsExactly("1!", "2!");
    }

    @Test
    void objects_arrive_as_they_were_published_with_what_is_known_of_them() throws SQLException {
        Key key = Shop.newKey();
        List<Object> seen = new java.util.concurrent.CopyOnWriteArrayList<>();
        try (Consumer running = consumer("one")
                .handle(Order.class, (order, tx) -> {
                    seen.add(order);
                    seen.add(tx.message().operation());
                    seen.add(tx.key());
                    seen.add(tx.message().id());
                })
                .start()) {
            shop.hapax.once(key).run(tx -> tx.publish(TOPIC, "a", new Order("1", 2)));
            await().until(() -> seen.size() >= 4);
        }
        Key message = ChildIds.ownKey(key.producer("shop"), "message/1");
        assertThat(seen.get(0)).isEqualTo(new Order("1", 2));
        assertThat(seen.get(1)).isEqualTo(key.producer("shop"));
        assertThat(seen.get(2)).isEqualTo(Key.of("one", message.id()));
        assertThat(((Key) seen.get(2)).time()).isEqualTo(key.time());
        assertThat(seen.get(3).toString()).isEqualTo(message.id());
    }

    @Test
    void a_child_of_the_messages_operation_is_the_callers_child_of_it() throws SQLException {
        Key key = Shop.newKey();
        Key child = key.child("ship");
        shop.hapax.once(key).run(tx -> tx.publish(TOPIC, "a", "body"));
        shop.hapax.once(child).run(tx -> Shop.effect(tx.connection(), child.id()));
        List<Verdict> verdicts = new CopyOnWriteArrayList<>();
        try (Consumer running = consumer("one")
                .handle(String.class, (body, tx) -> {
                    Key again = tx.message().operation().child("ship");
                    verdicts.add(shop.hapax
                            .once(again)
                            .on(tx.connection())
                            .run(other -> Shop.effect(other.connection(), child.id())));
                })
                .start()) {
            await().until(() -> !verdicts.isEmpty());
        }
        assertThat(verdicts).containsExactly(Verdict.REPLAYED);
        assertThat(shop.effects(child.id())).isEqualTo(1);
    }

    @Test
    void large_messages_arrive_whole_and_larger_ones_are_refused() throws SQLException {
        AtomicInteger bytes = new AtomicInteger();
        try (Consumer running = consumer("one")
                .handle(byte[].class, (body, tx) -> bytes.set(body.length))
                .start()) {
            shop.hapax.once(Shop.newKey()).run(tx -> tx.publish(TOPIC, "a", new byte[1 << 20]));
            await().until(() -> bytes.get() == 1 << 20);
        }
        assertThatThrownBy(() ->
                        shop.hapax.once(Shop.newKey()).run(tx -> tx.publish(TOPIC, "a", new byte[(1 << 20) + 1])))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1048576");
    }

    @Test
    void a_delayed_message_comes_when_it_is_due_and_once() throws SQLException {
        Map<String, Instant> seen = new ConcurrentHashMap<>();
        try (Consumer running = consumer("one")
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), "k", body);
                    seen.put(body, Instant.now());
                })
                .start()) {
            Instant due = Instant.now().plusSeconds(2);
            shop.hapax.once(Shop.newKey()).run(tx -> {
                tx.publishAt(due, TOPIC, "k", "later");
                tx.publish(TOPIC, "k", "now");
            });
            await().until(() -> count() == 2);
            assertThat(seen.get("later")).isAfterOrEqualTo(due.minusMillis(50));
        }
        assertThat(handled("k")).containsExactly("now", "later");
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.delayed"))
                .isZero();
    }

    @Test
    void a_new_consumer_starts_where_it_is_told_to() throws SQLException {
        publish("a", "old");
        Instant between = shop.hapax
                .once(Shop.newKey(), String.class)
                .call(tx -> Instant.now().toString())
                .kept()
                .map(Instant::parse)
                .orElseThrow();
        await().until(() -> Instant.now().isAfter(between.plusMillis(20)));
        publish("a", "middle");
        try (Consumer now = consumer("now")
                        .startFrom(Start.NOW)
                        .handle(String.class, (body, tx) -> handled(tx.connection(), "now", body))
                        .start();
                Consumer at = consumer("at")
                        .startFrom(Start.at(between))
                        .handle(String.class, (body, tx) -> handled(tx.connection(), "at", body))
                        .start();
                Consumer all = consumer("all")
                        .handle(String.class, (body, tx) -> handled(tx.connection(), "all", body))
                        .start()) {
            await().until(() -> shop.database.queryLong(
                            "SELECT count(DISTINCT consumer) FROM hapax.position WHERE owner IS NOT NULL")
                    == 3);
            publish("a", "new");
            await().until(() -> count() == 6);
        }
        assertThat(handled("now")).containsExactly("new");
        assertThat(handled("at")).containsExactly("middle", "new");
        assertThat(handled("all")).containsExactly("old", "middle", "new");
    }
}
