package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Signals while they are on their way, and when their saga has gone. */
class SagaSignalContractTest extends SagaStage {

    private static final Duration LEASE = Duration.ofMillis(500);

    private final CountDownLatch done = new CountDownLatch(1);
    private final Key other = Shop.newKey();

    private static void pass(CountDownLatch latch) throws InterruptedException {
        if (!latch.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
            throw new IllegalStateException("nobody came");
        }
    }

    /** A saga that is in a step, and is known to others, until {@link #done}. */
    private void busy(Hapax node) {
        node.saga("busy", Order.class).lease(LEASE).run((saga, given) -> {
            saga.step("first", tx -> effect(tx, "first")).run();
            saga.step("work", tx -> pass(done)).run();
        });
    }

    private long dueMillis(Key saga) throws SQLException {
        return shop.database.queryLong(
                "SELECT coalesce(max(CAST(extract(epoch FROM due_at) * 1000 AS bigint)), 0) FROM hapax.saga WHERE key = '"
                        + saga.id() + "'");
    }

    /** Twice: the first may have been on its way. */
    private void leaseIsPutOffTwice(Key saga) throws SQLException {
        for (int i = 0; i < 2; i++) {
            long before = dueMillis(saga);
            await().atMost(Duration.ofSeconds(5)).until(() -> dueMillis(saga) > before);
        }
    }

    @Test
    void a_long_transaction_that_signals_a_saga_keeps_no_other_one_from_being_looked_after() throws Exception {
        busy(shop.hapax);
        shop.hapax.sagas().start("busy", key, order);
        shop.hapax.sagas().start("busy", other, order);
        await().atMost(LONG).until(() -> dueMillis(key) > 0 && dueMillis(other) > 0);

        shop.hapax.once(Shop.newKey()).run(tx -> {
            shop.hapax.sagas().signal(tx, "busy", other, "go", "now");
            leaseIsPutOffTwice(key);
        });
        // And afterwards that of the signalled one as well.
        leaseIsPutOffTwice(other);
        done.countDown();

        for (Key one : List.of(key, other)) {
            assertThat(shop.hapax.sagas().await("busy", one, Void.class, LONG))
                    .isInstanceOf(SagaResult.Completed.class);
        }
        assertThat(shop.database.queryLong("SELECT sum(losses) FROM hapax.saga_ended"))
                .isZero();
    }

    @Test
    void a_step_that_signals_another_saga_may_take_longer_than_the_lease() throws Exception {
        AtomicInteger runs = new AtomicInteger();
        try (Hapax second = Shop.builder(shop.database.pooled(4)).open()) {
            for (Hapax node : List.of(shop.hapax, second)) {
                busy(node);
                node.saga("tell", Order.class).lease(LEASE).run((saga, given) -> {
                    saga.step("first", tx -> effect(tx, "begin")).run();
                    saga.step("tell", tx -> {
                                runs.incrementAndGet();
                                node.sagas().signal(tx, "busy", other, "go", "now");
                                leaseIsPutOffTwice(key);
                                effect(tx, "tell");
                            })
                            .run();
                });
            }
            shop.hapax.sagas().start("busy", other, order);
            await().atMost(LONG).until(() -> dueMillis(other) > 0);

            assertThat(complete("tell", Void.class)).isInstanceOf(SagaResult.Completed.class);
            done.countDown();
            assertThat(shop.hapax.sagas().await("busy", other, Void.class, LONG))
                    .isInstanceOf(SagaResult.Completed.class);
            assertThat(runs).hasValue(1);
            assertThat(counted("begin", "tell")).containsExactly(1L, 1L);
        }
    }

    private long signals() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.saga_signal");
    }

    @Test
    void signals_go_with_their_saga_received_or_not_and_those_of_children_too() throws Exception {
        shop.hapax.saga("child", Order.class).run((saga, given) -> {
            saga.step("begin", tx -> effect(tx, "begin")).run();
            saga.waitFor("go", String.class, Duration.ofDays(1));
        });
        shop.hapax.saga("parent", Order.class).run((saga, given) -> {
            saga.waitFor("go", String.class, Duration.ofDays(1));
            saga.child("deliver", "child", given, Void.class);
        });
        Sagas sagas = shop.hapax.sagas();
        sagas.start("parent", key, order);
        for (String id : List.of("1", "2", "3")) {
            assertThat(sagas.signal("parent", key, "go", id, "go")).isEqualTo(Sagas.Delivery.DELIVERED);
        }
        sagas.start("parent", other, order);
        sagas.signal("parent", other, "too-early", "1", "go");
        assertThat(sagas.cancel("parent", other, "the customer left")).isTrue();
        await().atMost(LONG)
                .until(() -> operator().list(Set.of(SagaState.WAITING), 10).stream()
                        .anyMatch(one -> one.name().equals("child")));
        assertThat(signals()).isPositive();
        Key child = operator().list(Set.of(SagaState.WAITING), 10).stream()
                .filter(one -> one.name().equals("child"))
                .findFirst()
                .orElseThrow()
                .key();
        for (String id : List.of("1", "2")) {
            assertThat(sagas.signal("child", child, "go", id, "go")).isEqualTo(Sagas.Delivery.DELIVERED);
        }

        assertThat(endOf("parent", Void.class)).isInstanceOf(SagaResult.Completed.class);
        assertThat(sagas.await("parent", other, Void.class, LONG)).isInstanceOf(SagaResult.Cancelled.class);
        assertThat(signals()).isZero();
    }

    /** The saga's end waits for the transaction that signals it, and its statement began before that committed. */
    @Test
    void a_signal_that_comes_while_its_saga_ends_goes_with_it() throws Exception {
        busy(shop.hapax);
        shop.hapax.sagas().start("busy", key, order);
        await().atMost(LONG).until(() -> dueMillis(key) > 0);
        shop.hapax.once(Shop.newKey()).run(tx -> {
            assertThat(shop.hapax.sagas().signal(tx, "busy", key, "go", "now")).isEqualTo(Sagas.Delivery.DELIVERED);
            done.countDown();
            await().atMost(LONG)
                    .until(() -> shop.database.queryLong(
                                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                                            + " AND query LIKE '%saga_ended%'")
                            == 1);
        });

        assertThat(endOf("busy", Void.class)).isInstanceOf(SagaResult.Completed.class);
        assertThat(signals()).isZero();
    }

    @Test
    void a_saga_that_receives_nothing_is_told_so_much_and_no_more() throws Exception {
        CompletableFuture<Void> received = new CompletableFuture<>();
        shop.hapax.saga("listen", Order.class).run((saga, given) -> {
            saga.step("first", tx -> effect(tx, "first")).run();
            saga.step("work", tx -> pass(done)).run();
            saga.waitFor("go", String.class, Duration.ofDays(1));
            saga.step("second", tx -> effect(tx, "second")).run();
            received.complete(null);
            saga.waitFor("stop", String.class, Duration.ofDays(1));
        });
        Sagas sagas = shop.hapax.sagas();
        sagas.start("listen", key, order);
        await().atMost(LONG).until(() -> dueMillis(key) > 0);
        sagas.signal("listen", key, "go", "first", "go");
        // As if so many more had come, one by one.
        shop.database.execute(
                "INSERT INTO hapax.saga_signal (saga, id, name, type, body) SELECT saga, gen_random_uuid(), name, type, body FROM hapax.saga_signal,"
                        + " generate_series(1, 999); UPDATE hapax.saga SET pokes = pokes + 999");

        assertThatThrownBy(() -> sagas.signal("listen", key, "stop", "1", "stop"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("1000 signals");
        assertThat(sagas.signal("listen", key, "go", "first", "go")).isEqualTo(Sagas.Delivery.REPEATED);
        done.countDown();
        received.get(LONG.toSeconds(), TimeUnit.SECONDS);
        await().atMost(LONG).until(() -> stored("listen").state() == SagaState.WAITING);
        assertThat(sagas.signal("listen", key, "stop", "1", "stop")).isEqualTo(Sagas.Delivery.DELIVERED);
        assertThat(endOf("listen", Void.class)).isInstanceOf(SagaResult.Completed.class);
        assertThat(signals()).isZero();
    }
}
