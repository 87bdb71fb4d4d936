package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.Shop.Receipt;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Code that is changed under sagas in flight, loops, and the times that steps and sagas have. */
@Tag("slow")
class SagaChangeContractTest extends SagaStage {

    private final List<Hapax> more = new ArrayList<>();

    @AfterEach
    void closeMore() {
        more.forEach(Hapax::close);
    }

    /** The same service after an upgrade: the process before it is gone. */
    private Hapax upgraded() {
        shop.hapax.close();
        Hapax next = Shop.builder(shop.pool).open();
        more.add(next);
        return next;
    }

    private void startAndWait(SagaCode<Order> code) {
        shop.hapax.saga("fulfil", Order.class).retryUndo(QUICK).run(code);
        shop.hapax.sagas().start("fulfil", key, order);
        await().atMost(LONG).until(() -> stored("fulfil").state() == SagaState.WAITING);
    }

    private SagaResult<Void> goesOnWith(SagaCode<Order> code) {
        Hapax next = upgraded();
        next.saga("fulfil", Order.class).retryUndo(QUICK).run(code);
        next.sagas().signal("fulfil", key, "go", "1", "go");
        return next.sagas().await("fulfil", key, Void.class, LONG);
    }

    private void reserveThenPayThenWait(Saga saga, Order given) {
        saga.step("reserve", Receipt.class, tx -> {
                    effect(tx, "reserve");
                    return new Receipt(given.id());
                })
                .call();
        saga.step("pay", tx -> effect(tx, "pay")).run();
        saga.waitFor("go", String.class, Duration.ofDays(1));
        saga.step("ship", tx -> effect(tx, "ship")).run();
    }

    @Test
    void finished_steps_return_what_they_returned_after_a_restart() {
        List<Receipt> seen = new ArrayList<>();
        SagaCode<Order> code = (saga, given) -> {
            Receipt receipt = saga.step("reserve", Receipt.class, tx -> {
                        effect(tx, "reserve");
                        return new Receipt(Instant.now().toString());
                    })
                    .call();
            synchronized (seen) {
                seen.add(receipt);
            }
            saga.waitFor("go", String.class, Duration.ofDays(1));
        };
        startAndWait(code);

        assertThat(goesOnWith(code)).isInstanceOf(SagaResult.Completed.class);
        assertThat(seen).hasSizeGreaterThan(1);
        assertThat(List.copyOf(new java.util.HashSet<>(seen))).hasSize(1);
        assertThat(counted("reserve")).containsExactly(1L);
    }

    @Test
    void steps_may_be_added_and_reordered_under_a_saga_in_flight() {
        startAndWait(this::reserveThenPayThenWait);

        SagaResult<Void> result = goesOnWith((saga, given) -> {
            saga.step("greet", tx -> effect(tx, "greet")).run();
            saga.step("pay", tx -> effect(tx, "pay")).run();
            saga.step("reserve", Receipt.class, tx -> {
                        effect(tx, "reserve");
                        return new Receipt(given.id());
                    })
                    .call();
            saga.waitFor("go", String.class, Duration.ofDays(1));
            saga.step("weigh", tx -> effect(tx, "weigh")).run();
            saga.step("ship", tx -> effect(tx, "ship")).run();
        });

        assertThat(result).isInstanceOf(SagaResult.Completed.class);
        assertThat(counted("greet", "pay", "reserve", "weigh", "ship")).containsExactly(1L, 1L, 1L, 1L, 1L);
    }

    @Test
    void a_step_whose_result_has_another_type_is_refused_with_its_name() {
        startAndWait(this::reserveThenPayThenWait);

        SagaResult<Void> result = goesOnWith((saga, given) -> {
            saga.step("reserve", Order.class, tx -> {
                        effect(tx, "reserve");
                        return given;
                    })
                    .call();
            saga.step("ship", tx -> effect(tx, "ship")).run();
        });

        assertThat(reason(result)).contains("step reserve", "receipt.v1", "version 1 of fulfil", "has been changed");
        assertThat(counted("reserve", "ship")).containsExactly(1L, 0L);
    }

    @Test
    void a_step_that_is_of_another_kind_now_is_refused_with_its_name_and_goes_on_when_the_code_is_put_back() {
        startAndWait(this::reserveThenPayThenWait);

        SagaResult<Void> result = goesOnWith((saga, given) -> {
            saga.sleep("pay", Duration.ofMillis(1));
            saga.step("ship", tx -> effect(tx, "ship")).run();
        });
        assertThat(reason(result)).contains("step pay was a STEP, and now is a SLEEP");

        more.getLast().close();
        Hapax mended = Shop.builder(shop.pool).open();
        more.add(mended);
        mended.saga("fulfil", Order.class).run(this::reserveThenPayThenWait);
        assertThat(mended.sagas()
                        .operator()
                        .retry(
                                mended.sagas()
                                        .operator()
                                        .find(key.id())
                                        .getFirst()
                                        .id(),
                                new SagaOperator.Ruling("the code is back", "ann")))
                .isTrue();
        assertThat(mended.sagas().await("fulfil", key, Void.class, LONG)).isInstanceOf(SagaResult.Completed.class);
        assertThat(counted("reserve", "pay", "ship")).containsExactly(1L, 1L, 1L);
    }

    @Test
    void what_undoes_a_step_must_still_be_in_the_code() {
        startAndWait((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve"))
                    .undo(tx -> effect(tx, "release"))
                    .run();
            saga.waitFor("go", String.class, Duration.ofDays(1));
        });

        SagaResult<Void> result = goesOnWith((saga, given) -> {
            throw new IllegalStateException("no");
        });

        assertThat(reason(result)).contains("step reserve was done", "Put the code back");
    }

    private static String reason(SagaResult<Void> result) {
        return ((SagaResult.Stuck<Void>) result).reason();
    }

    @Test
    void a_saga_keeps_the_version_that_it_was_started_with() {
        shop.hapax.saga("fulfil", Order.class).version(1).call(String.class, (saga, given) -> {
            saga.waitFor("go", String.class, Duration.ofDays(1));
            return "version " + saga.version();
        });
        shop.hapax.sagas().start("fulfil", key, order);
        await().atMost(LONG).until(() -> stored("fulfil").state() == SagaState.WAITING);
        shop.hapax
                .saga("fulfil", Order.class)
                .version(2)
                .call(String.class, (saga, given) -> "version " + saga.version());
        Key young = Shop.newKey();

        assertThat(shop.hapax.sagas().complete("fulfil", young, order, String.class, LONG))
                .isEqualTo(new SagaResult.Completed<>(Optional.of("version 2")));
        shop.hapax.sagas().signal("fulfil", key, "go", "1", "go");
        assertThat(endOf("fulfil", String.class)).isEqualTo(new SagaResult.Completed<>(Optional.of("version 1")));
        assertThatThrownBy(
                        () -> shop.hapax.saga("fulfil", Order.class).version(2).run((saga, given) -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("fulfil version 2");
    }

    @Test
    void steps_that_have_no_room_in_their_sagas_row_are_done_once_and_returned_like_the_others() throws SQLException {
        SagaCode<Order> code = (saga, given) -> {
            int sum = 0;
            for (int n = 1; n <= 40; n++) {
                int box = n;
                sum += Integer.parseInt(saga.step("box", String.class, tx -> {
                            effect(tx, "box");
                            return Integer.toString(box);
                        })
                        .call());
                if (n == 30) {
                    saga.waitFor("go", String.class, Duration.ofDays(1));
                }
            }
            int all = sum;
            saga.step("sum", tx -> effect(tx, "sum-" + all)).run();
        };
        startAndWait(code);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.saga, unnest(steps)"))
                .isPositive();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.saga_step WHERE kind = 'STEP'"))
                .isPositive();

        assertThat(goesOnWith(code)).isInstanceOf(SagaResult.Completed.class);
        assertThat(counted("box", "sum-820")).containsExactly(40L, 1L);
        assertThat(operator().steps(stored("fulfil").id()))
                .filteredOn(step -> step.kind().equals("STEP"))
                .hasSize(41)
                .last()
                .matches(step -> step.name().equals("sum"));
    }

    @Test
    void a_name_that_comes_again_in_a_loop_is_another_step_each_time() {
        shop.hapax.saga("fulfil", Order.class).call(String.class, (saga, given) -> {
            StringBuilder all = new StringBuilder();
            for (int n = 1; n <= 5; n++) {
                int box = n;
                all.append(saga.step("box", String.class, tx -> {
                            effect(tx, "box-" + box);
                            return "b" + box;
                        })
                        .call());
                if (n == 3) {
                    saga.sleep("breath", Duration.ofMillis(1));
                }
            }
            return all.toString();
        });

        assertThat(complete("fulfil", String.class)).isEqualTo(new SagaResult.Completed<>(Optional.of("b1b2b3b4b5")));
        assertThat(counted("box-1", "box-2", "box-3", "box-4", "box-5")).containsExactly(1L, 1L, 1L, 1L, 1L);
    }

    @Test
    void a_step_that_is_not_done_within_its_time_is_rolled_back_and_has_failed() {
        shop.hapax.saga("fulfil", Order.class).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve"))
                    .undo(tx -> effect(tx, "release"))
                    .run();
            saga.step("slow", tx -> {
                        effect(tx, "slow");
                        try (var statement = tx.connection().createStatement()) {
                            statement.execute("SELECT pg_sleep(30)");
                        }
                    })
                    .within(Duration.ofMillis(300))
                    .run();
        });

        SagaResult<Void> result = complete("fulfil", Void.class);

        assertThat(result)
                .isInstanceOfSatisfying(
                        SagaResult.Compensated.class,
                        undone -> assertThat(undone.reason()).contains("step slow"));
        assertThat(counted("reserve", "slow", "release")).containsExactly(1L, 0L, 1L);
    }

    @Test
    void a_sleep_until_an_instant_and_a_wait_that_nobody_answers_end_in_time() {
        Instant soon = Instant.now().plusMillis(50);
        shop.hapax.saga("fulfil", Order.class).call(String.class, (saga, given) -> {
            saga.sleepUntil("dawn", soon);
            return saga.waitFor("paid", String.class, Duration.ofMillis(50)).orElse("nobody");
        });

        assertThat(complete("fulfil", String.class)).isEqualTo(new SagaResult.Completed<>(Optional.of("nobody")));
        assertThat(Instant.now()).isAfter(soon);
    }

    @Test
    void a_step_that_comes_after_the_cancellation_changes_nothing() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        shop.hapax.saga("fulfil", Order.class).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve"))
                    .undo(tx -> effect(tx, "release"))
                    .run();
            saga.step("look", tx -> effect(tx, "look")).run();
            saga.step("pay", tx -> {
                        effect(tx, "pay");
                        inside.countDown();
                        if (!cancelled.await(10, TimeUnit.SECONDS)) {
                            throw new IllegalStateException("not cancelled");
                        }
                    })
                    .undo(tx -> effect(tx, "refund"))
                    .run();
        });
        shop.hapax.sagas().start("fulfil", key, order);
        assertThat(inside.await(10, TimeUnit.SECONDS)).isTrue();

        assertThat(shop.hapax.sagas().cancel("fulfil", key, "the customer left"))
                .isTrue();
        cancelled.countDown();

        assertThat(endOf("fulfil", Void.class)).isEqualTo(new SagaResult.Cancelled<>("the customer left"));
        assertThat(counted("reserve", "look", "pay", "refund", "release")).containsExactly(1L, 1L, 0L, 0L, 1L);
        assertThat(shop.hapax.sagas().start("fulfil", key, order)).isEqualTo(dev.hapax.once.Verdict.REPLAYED);
    }
}
