package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several nodes over one database. */
class SagaNodesContractTest extends SagaStage {

    private final List<Hapax> nodes = new ArrayList<>();

    @AfterEach
    void closeNodes() {
        nodes.forEach(Hapax::close);
    }

    private Hapax node() {
        Hapax node = Shop.builder(shop.database.pooled(4)).open();
        nodes.add(node);
        return node;
    }

    private static void pass(CountDownLatch latch) throws InterruptedException {
        if (!latch.await(15, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the other node did not come");
        }
    }

    /** Two nodes are inside the same step at the same time, since the first one's lease ran out while it stood still there. One result is kept, and the callers of both are told that one. */
    @Test
    void two_nodes_that_run_the_same_step_return_the_one_result_that_is_kept() throws Exception {
        CountDownLatch firstInside = new CountDownLatch(1);
        CountDownLatch secondInside = new CountDownLatch(1);
        AtomicInteger runs = new AtomicInteger();
        Hapax one = node();
        Hapax two = node();
        for (Hapax node : List.of(one, two)) {
            node.saga("charge", Order.class).concurrency(1).call(String.class, (saga, given) -> {
                saga.step("reserve", tx -> effect(tx, "reserve")).run();
                String result = saga.step("charge", String.class, tx -> {
                            runs.incrementAndGet();
                            effect(tx, "charge");
                            if (node == one) {
                                firstInside.countDown();
                                pass(secondInside);
                                return "charged by one";
                            }
                            secondInside.countDown();
                            return "charged by two";
                        })
                        .call();
                saga.step("tell", tx -> effect(tx, "tell")).run();
                return result;
            });
        }
        one.sagas().start("charge", key, order);
        pass(firstInside);
        CompletableFuture<SagaResult<String>> toldByOne =
                Shop.async(() -> one.sagas().await("charge", key, String.class, LONG));
        leaseRunsOut();
        SagaResult<String> toldByTwo = two.sagas().complete("charge", key, order, String.class, LONG);

        assertThat(toldByTwo).isEqualTo(new SagaResult.Completed<>(Optional.of("charged by two")));
        assertThat(toldByOne.get(20, TimeUnit.SECONDS)).isEqualTo(toldByTwo);
        assertThat(runs).hasValue(2);
        assertThat(counted("reserve", "charge", "tell")).containsExactly(1L, 1L, 1L);
    }

    /** As if the first node had stood still for longer than its lease: it has not come to put it off. */
    private void leaseRunsOut() throws SQLException {
        shop.database.execute("UPDATE hapax.saga SET due_at = clock_timestamp() - interval '1 second' WHERE key = '"
                + key.id() + "'");
    }

    @Test
    void a_node_that_is_closed_lets_its_sagas_go_and_another_one_goes_on_with_them() throws SQLException {
        Hapax one = node();
        one.saga("fulfil", Order.class).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve")).run();
            saga.waitFor("go", String.class, Duration.ofDays(1));
            saga.step("ship", tx -> effect(tx, "ship")).run();
        });
        one.sagas().start("fulfil", key, order);
        await().atMost(LONG).until(() -> stored("fulfil").state() == SagaState.WAITING);
        one.close();
        Hapax two = node();
        two.saga("fulfil", Order.class).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve")).run();
            saga.waitFor("go", String.class, Duration.ofDays(1));
            saga.step("ship", tx -> effect(tx, "ship")).run();
        });
        two.sagas().signal("fulfil", key, "go", "1", "go");

        assertThat(two.sagas().await("fulfil", key, Void.class, LONG)).isInstanceOf(SagaResult.Completed.class);
        assertThat(counted("reserve", "ship")).containsExactly(1L, 1L);
    }

    @Test
    void nodes_have_random_names() throws SQLException {
        List<Hapax> both = List.of(node(), node());
        CountDownLatch seen = new CountDownLatch(1);
        for (Hapax node : both) {
            node.saga("own-" + nodes.indexOf(node), Order.class).run((saga, given) -> {
                saga.step("first", tx -> effect(tx, "first")).run();
                saga.step("look", tx -> effect(tx, "look")).run();
                saga.step("stand", tx -> {
                            if (!seen.await(15, TimeUnit.SECONDS)) {
                                throw new IllegalStateException("nobody looked");
                            }
                        })
                        .run();
            });
            node.sagas().start("own-" + nodes.indexOf(node), key, order);
        }

        await().atMost(LONG).until(() -> shop.database.queryLong("SELECT count(DISTINCT owner) FROM hapax.saga") == 2);
        seen.countDown();
        for (Hapax node : both) {
            assertThat(node.sagas().await("own-" + nodes.indexOf(node), key, Void.class, LONG))
                    .isInstanceOf(SagaResult.Completed.class);
        }
    }
}
