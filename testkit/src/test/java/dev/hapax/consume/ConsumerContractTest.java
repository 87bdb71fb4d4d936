package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.control.Control;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConsumerContractTest {

    private static final String TOPIC = "orders.placed";

    private Shop shop;

    @BeforeEach
    void open() {
        shop = Shop.open();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private void publish(String messageKey, String body) throws SQLException {
        shop.hapax.once(Shop.newKey()).run(tx -> tx.publish(TOPIC, messageKey, body));
    }

    private ConsumerBuilder consumer(String name) {
        return shop.hapax.consumer(name).topic(TOPIC).backoff(Duration.ofMillis(20), Duration.ofMillis(100));
    }

    private ConsumerBuilder writing(String name) {
        return consumer(name)
                .handle(
                        String.class,
                        (body, tx) -> handled(tx.connection(), tx.message().messageKey(), body));
    }

    private static void handled(Connection connection, String messageKey, String body) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO handled (message_key, body) VALUES (?, ?)")) {
            insert.setString(1, messageKey);
            insert.setString(2, body);
            insert.executeUpdate();
        }
    }

    /** The rows in the target, in the order of their commits. */
    private List<String> handled(String messageKey) throws SQLException {
        List<String> bodies = new ArrayList<>();
        try (Connection connection = shop.pool.getConnection();
                PreparedStatement select =
                        connection.prepareStatement("SELECT body FROM handled WHERE message_key = ? ORDER BY nth")) {
            select.setString(1, messageKey);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    bodies.add(row.getString(1));
                }
            }
        }
        return bodies;
    }

    private long count() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM handled");
    }

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

    @Test
    void numbers_of_rolled_back_transactions_are_given_up_even_while_another_is_open_for_long() throws Exception {
        try (Consumer running = writing("one").start()) {
            try (Connection gone = shop.pool.getConnection()) {
                gone.setAutoCommit(false);
                shop.hapax.once(Shop.newKey()).on(gone).run(tx -> tx.publish(TOPIC, "slow", "never"));
                gone.rollback();
            }
            publish("slow", "after");
            await().until(() -> count() == 1);
            await().until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE done <> '{}'") == 0);

            try (Connection longer = shop.pool.getConnection();
                    Statement statement = longer.createStatement()) {
                longer.setAutoCommit(false);
                statement.execute("SELECT pg_current_xact_id()");
                for (int i = 0; i < 50; i++) {
                    publish("slow", "meanwhile-" + i);
                }
                await().until(() -> count() == 51);
                longer.rollback();
            }
        }
    }

    @Test
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
    void a_failing_message_is_tried_again_and_its_key_waits_in_order_while_others_go_on() throws SQLException {
        AtomicInteger tries = new AtomicInteger();
        AtomicBoolean healed = new AtomicBoolean();
        try (Consumer running = consumer("one")
                .quarantineAfter(100)
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    if (body.equals("poison") && !healed.get()) {
                        tries.incrementAndGet();
                        throw new IllegalStateException("not yet");
                    }
                })
                .start()) {
            publish("a", "1");
            publish("a", "poison");
            publish("a", "3");
            publish("b", "1");
            publish("a", "4");
            await().until(() -> tries.get() >= 3 && !handled("b").isEmpty());
            assertThat(handled("a")).containsExactly("1");
            healed.set(true);
            await().until(() -> handled("a").size() == 4);
            publish("a", "5");
            await().until(() -> handled("a").size() == 5);
        }
        assertThat(handled("a")).containsExactly("1", "poison", "3", "4", "5");
        assertThat(handled("b")).containsExactly("1");
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held")).isZero();
    }

    @Test
    void a_poison_message_is_set_aside_after_its_tries_and_an_operator_lets_it_go_on_or_drops_it() throws SQLException {
        Set<String> poison = ConcurrentHashMap.newKeySet();
        poison.addAll(Set.of("p1", "p2"));
        try (Consumer running = consumer("one")
                .quarantineAfter(2)
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    if (poison.contains(body)) {
                        throw new IllegalArgumentException("can't: " + body);
                    }
                })
                .start()) {
            for (String body : List.of("p1", "1", "p2", "2")) {
                publish("a", body);
            }
            Quarantine quarantine = shop.hapax.quarantine();
            await().until(() -> quarantine
                                    .list("one", Quarantine.State.QUARANTINED, 10)
                                    .size()
                            == 1
                    && quarantine.list("one", Quarantine.State.WAITING, 10).size() == 3);
            Quarantine.Held held =
                    quarantine.list("one", Quarantine.State.QUARANTINED, 10).getFirst();
            assertThat(held.attempts()).isEqualTo(2);
            assertThat(held.reason()).hasValue("java.lang.IllegalArgumentException: can't: p1");
            assertThatThrownBy(() -> held.message().body()).isInstanceOf(IllegalStateException.class);
            assertThat(quarantine.show(held.id()).orElseThrow().message().body())
                    .isEqualTo("p1".getBytes(java.nio.charset.StandardCharsets.UTF_8));

            poison.remove("p1");
            assertThat(quarantine.retry(held.id())).isTrue();
            await().until(() -> quarantine.list("one", Quarantine.State.QUARANTINED, 10).stream()
                    .anyMatch(h -> h.reason().orElse("").contains("p2")));
            assertThat(handled("a")).containsExactly("p1", "1");

            long second = quarantine
                    .list("one", Quarantine.State.QUARANTINED, 10)
                    .getFirst()
                    .id();
            assertThat(quarantine.discard(second, "a test order")).isTrue();
            assertThat(quarantine.discard(second, "again")).isFalse();
            await().until(() -> handled("a").size() == 3);
        }
        assertThat(handled("a")).containsExactly("p1", "1", "2");
        assertThat(
                        shop.database.queryLong(
                                "SELECT count(*) FROM hapax.discarded WHERE why = 'a test order' AND body = 'p2' AND attempts = 2"))
                .isEqualTo(1);
    }

    @Test
    void messages_of_a_key_go_on_past_a_failure_where_the_consumer_says_so() throws SQLException {
        try (Consumer running = consumer("one")
                .continuePastFailures()
                .quarantineAfter(1)
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    if (body.equals("poison")) {
                        throw new IllegalStateException("no");
                    }
                })
                .start()) {
            for (String body : List.of("1", "poison", "2")) {
                publish("a", body);
            }
            await().until(() -> handled("a").size() == 2);
        }
        assertThat(handled("a")).containsExactly("1", "2");
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held WHERE state = 'QUARANTINED'"))
                .isEqualTo(1);
    }

    @Test
    void many_poison_messages_in_one_batch_leave_all_others_handled_once() throws SQLException {
        for (int i = 0; i < 100; i++) {
            publish("k" + i, i % 10 == 3 ? "poison" : "fine");
        }
        try (Consumer running = consumer("one")
                .quarantineAfter(1)
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    if (body.equals("poison")) {
                        throw new IllegalStateException("no");
                    }
                })
                .start()) {
            await().until(() -> count() == 90);
            await().until(() ->
                    shop.database.queryLong("SELECT count(*) FROM hapax.held WHERE state = 'QUARANTINED'") == 10);
        }
        assertThat(shop.database.queryLong("SELECT count(DISTINCT message_key) FROM handled"))
                .isEqualTo(90);
    }

    @Test
    void a_failure_that_shows_only_at_commit_is_found_by_halving() throws SQLException {
        shop.database.execute("CREATE TABLE strict (id text UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        shop.database.execute("INSERT INTO strict VALUES ('taken')");
        for (int i = 0; i < 20; i++) {
            publish("k" + i, i == 11 ? "taken" : "free-" + i);
        }
        try (Consumer running = consumer("one")
                .quarantineAfter(1)
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    try (PreparedStatement insert = tx.connection().prepareStatement("INSERT INTO strict VALUES (?)")) {
                        insert.setString(1, body);
                        insert.executeUpdate();
                    }
                })
                .start()) {
            await().until(() -> count() == 19);
            await().until(() ->
                    shop.database.queryLong("SELECT count(*) FROM hapax.held WHERE reason LIKE '%strict%'") == 1);
        }
        assertThat(count()).isEqualTo(19);
    }

    @Test
    void a_message_that_nobody_can_decode_is_set_aside_at_once() throws SQLException {
        shop.hapax.once(Shop.newKey()).run(tx -> tx.publish(TOPIC, "a", new Order("1", 2)));
        publish("b", "fine");
        try (Hapax other = Hapax.on(shop.pool).name("other").open();
                Consumer running = other.consumer("one")
                        .topic(TOPIC)
                        .handle(
                                String.class,
                                (body, tx) ->
                                        handled(tx.connection(), tx.message().messageKey(), body))
                        .start()) {
            await().until(() -> count() == 1);
            await().until(() -> shop.database.queryLong(
                            "SELECT count(*) FROM hapax.held WHERE state = 'QUARANTINED' AND reason LIKE '%order.v1%'")
                    == 1);
        }
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
        Key message = key.producer("shop").child("message/1");
        assertThat(seen.get(0)).isEqualTo(new Order("1", 2));
        assertThat(seen.get(1)).isEqualTo(key.producer("shop"));
        assertThat(seen.get(2)).isEqualTo(Key.of("one", message.id()));
        assertThat(((Key) seen.get(2)).time()).isEqualTo(key.time());
        assertThat(seen.get(3).toString()).isEqualTo(message.id());
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
    void a_large_message_that_is_held_is_handled_whole_too() throws SQLException {
        AtomicInteger tries = new AtomicInteger();
        AtomicInteger bytes = new AtomicInteger();
        try (Consumer running = consumer("one")
                .handle(byte[].class, (body, tx) -> {
                    if (tries.incrementAndGet() == 1) {
                        throw new IllegalStateException("not yet");
                    }
                    bytes.set(body.length);
                })
                .start()) {
            shop.hapax.once(Shop.newKey()).run(tx -> tx.publish(TOPIC, "a", new byte[500_000]));
            await().until(() -> bytes.get() == 500_000);
        }
    }

    @Test
    void a_delayed_message_comes_when_it_is_due_and_once() throws SQLException {
        Instant due = Instant.now().plusMillis(700);
        Map<String, Instant> seen = new ConcurrentHashMap<>();
        try (Consumer running = consumer("one")
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), "k", body);
                    seen.put(body, Instant.now());
                })
                .start()) {
            shop.hapax.once(Shop.newKey()).run(tx -> {
                tx.publishAt(due, TOPIC, "k", "later");
                tx.publish(TOPIC, "k", "now");
            });
            await().until(() -> count() == 2);
        }
        assertThat(handled("k")).containsExactly("now", "later");
        assertThat(seen.get("later")).isAfterOrEqualTo(due.minusMillis(50));
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
