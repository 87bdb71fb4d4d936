package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.Transaction;
import dev.hapax.once.Effect;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Steps whose time is over while they are being tried, and which wait for something that isn't the database. */
class SagaTimeContractTest extends SagaStage {

    private static final Duration SHORT = Duration.ofMillis(300);

    private final CountDownLatch never = new CountDownLatch(1);
    private final AtomicInteger tries = new AtomicInteger();

    /** A read from a socket without a time-out, say. */
    private void stand(Transaction tx) throws Exception {
        tries.incrementAndGet();
        effect(tx, "drone");
        never.await();
    }

    /** The same for code that does not care about interrupts. */
    private void standWhateverComes(Transaction tx) throws Exception {
        tries.incrementAndGet();
        effect(tx, "drone");
        boolean interrupted = true;
        while (interrupted) {
            try {
                never.await();
                interrupted = false;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
    }

    private void byDroneOrVan(Hapax node, Effect<Exception> drone) {
        node.saga("ship", Order.class)
                .lease(Duration.ofMillis(500))
                .retry(QUICK)
                .call(String.class, (saga, given) -> {
                    saga.step("pack", tx -> effect(tx, "pack")).run();
                    try {
                        saga.step("drone", drone).within(SHORT).run();
                        return "by drone";
                    } catch (SagaStepFailedException failed) {
                        saga.step("van", tx -> effect(tx, "van")).run();
                        return failed.getMessage();
                    }
                });
    }

    @Test
    void a_try_that_waits_for_something_is_interrupted_when_its_time_is_over_and_none_follows() throws Exception {
        byDroneOrVan(shop.hapax, this::stand);
        SagaResult<String> end = complete("ship", String.class);

        assertThat(end)
                .isInstanceOfSatisfying(
                        SagaResult.Completed.class,
                        completed -> assertThat(completed.answer().orElseThrow().toString())
                                .contains("not done within PT0.3S"));
        assertThat(tries).hasValue(1);
        assertThat(counted("pack", "drone", "van")).containsExactly(1L, 0L, 1L);
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void a_saga_whose_time_is_over_is_undone_though_its_step_waits_for_something() throws Exception {
        shop.hapax.saga("ship", Order.class).deadline(Duration.ofMillis(700)).run((saga, given) -> {
            saga.step("pack", tx -> effect(tx, "pack"))
                    .undo(tx -> effect(tx, "unpack"))
                    .run();
            saga.step("drone", this::stand).run();
        });
        shop.hapax.sagas().start("ship", key, order);

        assertThat(endOf("ship", Void.class))
                .isInstanceOfSatisfying(
                        SagaResult.Compensated.class,
                        undone -> assertThat(undone.reason()).contains("its time was over"));
        assertThat(tries).hasValue(1);
        assertThat(counted("pack", "drone", "unpack")).containsExactly(1L, 0L, 1L);
    }

    @Test
    void a_step_that_does_not_mind_interrupts_is_left_behind_and_what_it_does_late_is_not_kept() throws Exception {
        Hapax one = Shop.builder(shop.database.pooled(4)).open();
        try {
            byDroneOrVan(one, this::standWhateverComes);
            one.sagas().start("ship", key, order);
            await().atMost(LONG).until(() -> tries.get() == 1);
            byDroneOrVan(shop.hapax, this::standWhateverComes);

            assertThat(endOf("ship", String.class))
                    .isInstanceOfSatisfying(
                            SagaResult.Completed.class,
                            completed -> assertThat(
                                            completed.answer().orElseThrow().toString())
                                    .contains("did not end when it was interrupted"));
            assertThat(one.sagas().await("ship", key, String.class, LONG)).isInstanceOf(SagaResult.Completed.class);
        } finally {
            never.countDown();
            // Waits for what still runs.
            one.close();
        }
        assertThat(tries).hasValue(1);
        assertThat(counted("pack", "drone", "van")).containsExactly(1L, 0L, 1L);
        assertThat(shop.database.queryLong(
                        "SELECT count(*) FROM hapax.saga_history WHERE name = 'drone' AND state = 'FAILED'"))
                .isEqualTo(1);
    }

    @Test
    void a_saga_whose_time_is_over_leaves_a_step_behind_that_does_not_mind_interrupts() throws Exception {
        Hapax one = Shop.builder(shop.database.pooled(4)).open();
        try {
            for (Hapax node : List.of(one, shop.hapax)) {
                node.saga("ship", Order.class)
                        .lease(Duration.ofMillis(500))
                        .deadline(Duration.ofMillis(700))
                        .run((saga, given) -> {
                            saga.step("pack", tx -> effect(tx, "pack"))
                                    .undo(tx -> effect(tx, "unpack"))
                                    .run();
                            saga.step("drone", this::standWhateverComes).run();
                        });
            }
            one.sagas().start("ship", key, order);

            assertThat(endOf("ship", Void.class)).isInstanceOf(SagaResult.Compensated.class);
        } finally {
            never.countDown();
            one.close();
        }
        assertThat(tries).hasValue(1);
        assertThat(counted("pack", "drone", "unpack")).containsExactly(1L, 0L, 1L);
    }
}
