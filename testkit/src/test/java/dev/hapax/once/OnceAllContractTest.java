package dev.hapax.once;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.internal.ChildIds;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class OnceAllContractTest {

    private static Shop shop;

    @BeforeAll
    static void open() {
        shop = Shop.open();
    }

    @AfterAll
    static void close() {
        shop.close();
    }

    private static List<Key> keys(int n) {
        List<Key> keys = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            keys.add(i % 3 == 0 ? Key.of("orders", Shop.newId()) : Key.generate(i % 2 == 0 ? "orders" : "returns"));
        }
        return keys;
    }

    private static List<Verdict> applyAll(List<Key> keys) throws SQLException {
        return shop.hapax.onceAll(keys, key -> key).run((fresh, tx) -> effects(fresh, tx.connection()));
    }

    private static void effects(List<Key> fresh, Connection connection) throws SQLException {
        for (Key key : fresh) {
            Shop.effect(connection, key.id());
        }
    }

    @Test
    void each_operation_is_answered_and_only_new_ones_are_applied() throws SQLException {
        List<Key> keys = keys(50);
        assertThat(applyAll(keys.subList(10, 20))).containsOnly(Verdict.APPLIED);
        List<Verdict> verdicts = applyAll(keys);
        for (int i = 0; i < keys.size(); i++) {
            assertThat(verdicts.get(i)).isEqualTo(i >= 10 && i < 20 ? Verdict.REPLAYED : Verdict.APPLIED);
            assertThat(shop.effects(keys.get(i))).isEqualTo(1);
        }
    }

    /** Of a scope in which no batch has met a repeat, a batch is taken for new. */
    @Test
    void a_repeat_that_was_not_expected_is_found_and_the_effect_runs_for_the_others_alone() throws SQLException {
        for (boolean matching : new boolean[] {false, true}) {
            String scope = "calm-" + matching;
            List<Key> seen =
                    IntStream.range(0, 10).mapToObj(n -> Key.generate(scope)).toList();
            List<Key> some = new ArrayList<>(
                    IntStream.range(0, 10).mapToObj(n -> Key.generate(scope)).toList());
            some.add(5, seen.getFirst());
            AtomicInteger runs = new AtomicInteger();
            for (List<Key> batch : List.of(seen, some)) {
                OnceAll<Key> all = shop.hapax.onceAll(batch, key -> key);
                List<Verdict> verdicts = (matching ? all.matching(Key::id) : all).run((fresh, tx) -> {
                    runs.incrementAndGet();
                    effects(fresh, tx.connection());
                });
                for (int i = 0; i < batch.size(); i++) {
                    assertThat(verdicts.get(i))
                            .isEqualTo(batch.equals(some) && i == 5 ? Verdict.REPLAYED : Verdict.APPLIED);
                    assertThat(shop.effects(batch.get(i))).isEqualTo(1);
                }
            }
            assertThat(runs).hasValue(2);
        }
    }

    @Test
    void a_key_that_stands_twice_in_a_batch_is_applied_once() throws SQLException {
        Key key = Shop.newKey();
        assertThat(applyAll(List.of(key, key))).containsExactly(Verdict.APPLIED, Verdict.REPLAYED);
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void conflicting_and_late_operations_are_told_and_do_not_hold_up_the_others() throws SQLException {
        Order first = new Order(Shop.newKey().id(), 1);
        Order other = new Order(first.id(), 2);
        Order late = new Order(Shop.newId(), 1);
        Order early = new Order(Shop.newId(), 1);
        Order fine = new Order(Shop.newKey().id(), 1);
        shop.hapax
                .onceAll(List.of(first), OnceAllContractTest::keyOf)
                .matching(order -> order)
                .run((fresh, tx) -> effect(fresh, tx.connection()));
        List<Verdict> verdicts = shop.hapax
                .onceAll(
                        List.of(other, late, fine, early, first),
                        order -> order.equals(late)
                                ? keyOf(late).at(Instant.now().minus(Duration.ofDays(40)))
                                : order.equals(early)
                                        ? keyOf(early).at(Instant.now().plus(Duration.ofDays(1)))
                                        : keyOf(order))
                .matching(order -> order)
                .run((fresh, tx) -> effect(fresh, tx.connection()));
        assertThat(verdicts)
                .containsExactly(
                        Verdict.CONFLICTING, Verdict.TOO_LATE, Verdict.APPLIED, Verdict.TOO_EARLY, Verdict.REPLAYED);
        assertThat(shop.effects(first.id())).isEqualTo(1);
        assertThat(shop.effects(fine.id())).isEqualTo(1);
        assertThat(shop.effects(late.id())).isZero();
    }

    private static Key keyOf(Order order) {
        return Key.of("orders", order.id());
    }

    private static void effect(List<Order> orders, Connection connection) throws SQLException {
        for (Order order : orders) {
            Shop.effect(connection, order.id());
        }
    }

    @Test
    void a_failed_effect_leaves_no_marker() throws SQLException {
        List<Key> keys = keys(7);
        assertThatThrownBy(() -> shop.hapax.onceAll(keys, key -> key).run((fresh, tx) -> {
                    effects(fresh, tx.connection());
                    throw new IOException("no");
                }))
                .isInstanceOf(IOException.class);
        assertThat(applyAll(keys)).containsOnly(Verdict.APPLIED);
        for (Key key : keys) {
            assertThat(shop.effects(key)).isEqualTo(1);
        }
    }

    @Test
    void batches_that_share_keys_in_any_order_apply_each_once() throws Exception {
        List<Key> keys = keys(60);
        List<CompletableFuture<Integer>> all = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
            Random random = new Random(thread);
            all.add(Shop.async(() -> {
                int applied = 0;
                for (int round = 0; round < 10; round++) {
                    List<Key> some = new ArrayList<>(keys);
                    Collections.shuffle(some, random);
                    applied += (int) applyAll(some.subList(0, 30)).stream()
                            .filter(Verdict.APPLIED::equals)
                            .count();
                }
                return applied;
            }));
        }
        int applied = 0;
        for (CompletableFuture<Integer> one : all) {
            applied += one.get(60, TimeUnit.SECONDS);
        }
        assertThat(applied).isEqualTo(keys.size());
        for (Key key : keys) {
            assertThat(shop.effects(key)).isEqualTo(1);
        }
    }

    @Test
    void a_joined_batch_commits_with_its_caller() throws SQLException {
        List<Key> keys = keys(5);
        try (Connection connection = shop.pool.getConnection()) {
            connection.setAutoCommit(false);
            shop.hapax.onceAll(keys, key -> key).on(connection).run((fresh, tx) -> effects(fresh, tx.connection()));
            connection.rollback();
            shop.hapax.onceAll(keys, key -> key).on(connection).run((fresh, tx) -> effects(fresh, tx.connection()));
            connection.commit();
        }
        assertThat(applyAll(keys)).containsOnly(Verdict.REPLAYED);
        for (Key key : keys) {
            assertThat(shop.effects(key)).isEqualTo(1);
        }
    }

    @Test
    void an_operation_of_a_batch_publishes_as_itself() throws SQLException {
        List<Key> keys = List.of(Shop.newKey(), Shop.newKey());
        shop.hapax.onceAll(keys, key -> key).run((fresh, tx) -> {
            for (Key key : fresh) {
                tx.of(key).publish("batch", "k", key.id());
            }
        });
        for (Key key : keys) {
            assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.log WHERE topic = 'batch' AND key = '"
                            + key.id() + "' AND id = '"
                            + ChildIds.own(key.producer("shop"), "message/1") + "'"))
                    .isEqualTo(1);
        }
    }
}
