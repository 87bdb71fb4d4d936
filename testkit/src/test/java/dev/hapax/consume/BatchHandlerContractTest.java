package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Handlers of many messages at once, and consumers that tell repeats by a key. */
@Tag("slow")
class BatchHandlerContractTest extends ConsumerFixture {

    private static void insertAll(Connection connection, List<Delivery<String>> deliveries) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO handled (message_key, body)"
                + " SELECT * FROM unnest(CAST(? AS text[]), CAST(? AS text[]))")) {
            insert.setArray(
                    1,
                    connection.createArrayOf(
                            "text",
                            deliveries.stream()
                                    .map(d -> d.message().messageKey())
                                    .toArray()));
            insert.setArray(
                    2,
                    connection.createArrayOf(
                            "text", deliveries.stream().map(Delivery::body).toArray()));
            insert.executeUpdate();
        }
    }

    @Test
    void many_messages_are_handled_by_one_call_in_the_order_of_their_keys() throws SQLException {
        for (int i = 0; i < 60; i++) {
            publish("k" + i % 3, "m" + i);
        }
        Queue<Integer> sizes = new ConcurrentLinkedQueue<>();
        try (Consumer running = consumer("many")
                .handleAll(String.class, (deliveries, tx) -> {
                    sizes.add(deliveries.size());
                    insertAll(tx.connection(), deliveries);
                })
                .start()) {
            await().until(() -> count() == 60);
        }
        for (int key = 0; key < 3; key++) {
            List<String> expected = new ArrayList<>();
            for (int i = key; i < 60; i += 3) {
                expected.add("m" + i);
            }
            assertThat(handled("k" + key)).isEqualTo(expected);
        }
        assertThat(sizes.stream().mapToInt(Integer::intValue).max().orElse(0)).isGreaterThan(1);
    }

    @Test
    void the_one_that_fails_is_found_and_the_others_take_effect_once() throws SQLException {
        for (int i = 0; i < 100; i++) {
            publish("k" + i, i == 37 || i == 80 ? "poison" : "fine");
        }
        try (Consumer running = consumer("many")
                .quarantineAfter(2)
                .handleAll(String.class, (deliveries, tx) -> {
                    insertAll(tx.connection(), deliveries);
                    if (deliveries.stream().anyMatch(d -> d.body().equals("poison"))) {
                        throw new IllegalStateException("one of " + deliveries.size());
                    }
                })
                .start()) {
            await().until(() -> count() == 98);
            await().until(() ->
                    shop.database.queryLong("SELECT count(*) FROM hapax.held WHERE state = 'QUARANTINED'") == 2);
        }
        assertThat(shop.database.queryLong("SELECT count(DISTINCT message_key) FROM handled"))
                .isEqualTo(98);
        assertThat(shop.database.queryLong(
                        "SELECT count(*) FROM hapax.held WHERE reason LIKE '%one of 1' AND attempts = 2"))
                .isEqualTo(2);
    }

    @Test
    void messages_of_other_types_keep_their_place_between_them() throws SQLException {
        publish("a", "1");
        publish("a", "2");
        shop.hapax.once(Shop.newKey()).run(tx -> tx.publish(TOPIC, "a", new Order("order", 3)));
        publish("a", "4");
        try (Consumer running = consumer("mixed")
                .handleAll(String.class, (deliveries, tx) -> insertAll(tx.connection(), deliveries))
                .handle(Order.class, (order, tx) -> handled(tx.connection(), "a", order.id()))
                .start()) {
            await().until(() -> count() == 4);
        }
        assertThat(handled("a")).containsExactly("1", "2", "order", "4");
    }

    @Test
    void each_of_them_can_publish_and_what_they_publish_commits_with_them() throws SQLException {
        for (int i = 0; i < 20; i++) {
            publish("k" + i, "m" + i);
        }
        try (Consumer first = consumer("first")
                        .handleAll(String.class, (deliveries, tx) -> {
                            for (Delivery<String> delivery : deliveries) {
                                tx.of(delivery.key())
                                        .publish("second", delivery.message().messageKey(), delivery.body());
                            }
                        })
                        .start();
                Consumer second = shop.hapax
                        .consumer("second")
                        .topic("second")
                        .handleAll(String.class, (deliveries, tx) -> insertAll(tx.connection(), deliveries))
                        .start()) {
            await().until(() -> count() == 20);
        }
        assertThat(shop.database.queryLong("SELECT count(DISTINCT body) FROM handled"))
                .isEqualTo(20);
    }

    @Test
    void a_thing_that_is_said_in_two_messages_takes_effect_once_where_it_has_a_key() throws SQLException {
        for (int i = 0; i < 30; i++) {
            publish("k" + i % 5, "thing-" + i % 10);
        }
        AtomicInteger failures = new AtomicInteger();
        try (Consumer running = consumer("keyed")
                .deduplicateBy(message -> Key.of("things", new String(message.body(), StandardCharsets.UTF_8))
                        .at(Instant.now().minusSeconds(60)))
                .handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    if (body.equals("thing-3") && failures.incrementAndGet() == 1) {
                        throw new IllegalStateException("the first try fails");
                    }
                })
                .start()) {
            await().until(() -> count() == 10 && running.lag().messages() == 0);
            await().until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.held") == 0);
        }
        assertThat(shop.database.queryLong("SELECT count(DISTINCT body) FROM handled"))
                .isEqualTo(10);
        assertThat(count()).isEqualTo(10);
    }

    @Test
    void a_key_that_is_older_than_its_window_is_set_aside_and_not_applied() throws SQLException {
        publish("a", "old");
        publish("b", "new");
        try (Consumer running = consumer("late")
                .deduplicateBy(message -> new String(message.body(), StandardCharsets.UTF_8).equals("old")
                        ? Key.of("things", "old").at(Instant.parse("2020-01-01T00:00:00Z"))
                        : Key.of("things", "new"))
                .handleAll(String.class, (deliveries, tx) -> insertAll(tx.connection(), deliveries))
                .start()) {
            await().until(() -> count() == 1
                    && shop.database.queryLong("SELECT count(*) FROM hapax.held WHERE state = 'QUARANTINED'") == 1);
        }
        assertThat(handled("b")).containsExactly("new");
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held WHERE reason LIKE '%TOO_LATE%'"))
                .isEqualTo(1);
    }

    @Test
    void a_consumer_that_is_forgotten_and_starts_again_applies_nothing_twice_where_it_remembers_ids()
            throws SQLException {
        for (int i = 0; i < 20; i++) {
            publish("k" + i, "m" + i);
        }
        try (Consumer running = writing("again").deduplicateById().start()) {
            await().until(() -> count() == 20);
        }
        shop.database.execute("DELETE FROM hapax.member");
        assertThat(shop.hapax.consumers().forget("again", Consumers.HeldMessages.KEEP))
                .isPresent();
        publish("k", "last");
        try (Consumer running = writing("again").deduplicateById().start()) {
            await().until(() -> !handled("k").isEmpty() && running.lag().messages() == 0);
        }
        assertThat(count()).isEqualTo(21);
    }
}
