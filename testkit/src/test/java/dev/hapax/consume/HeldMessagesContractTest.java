package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What becomes of messages that fail, and of those behind them. */
@Tag("slow")
class HeldMessagesContractTest extends ConsumerFixture {

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
}
