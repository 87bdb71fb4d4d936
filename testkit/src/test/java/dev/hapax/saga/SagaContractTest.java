package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.Shop.Receipt;
import dev.hapax.once.Verdict;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Sagas on a database: steps once, results kept, compensations in reverse. Effects are counted in the target. */
class SagaContractTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final SagaRetry QUICK = SagaRetry.attempts(3).backoff(Duration.ofMillis(1), Duration.ofMillis(5));

    private Shop shop;
    private final Key key = Shop.newKey();
    private final Order order = new Order(key.id(), 2);

    @BeforeEach
    void open() {
        shop = Shop.open();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private void effect(dev.hapax.Transaction tx, String what) throws SQLException {
        Shop.effect(tx.connection(), what + "-" + key.id());
    }

    private long effects(String what) throws SQLException {
        return shop.effects(what + "-" + key.id());
    }

    private void threeSteps() {
        shop.hapax.saga("fulfil", Order.class).retry(QUICK).retryUndo(QUICK).call(Receipt.class, (saga, given) -> {
            Receipt receipt = saga.step("reserve", Receipt.class, tx -> {
                        effect(tx, "reserve");
                        return new Receipt(given.id());
                    })
                    .undo((result, tx) -> effect(tx, "release"))
                    .call();
            saga.step("pay", tx -> effect(tx, "pay"))
                    .undo(tx -> effect(tx, "refund"))
                    .run();
            saga.step("ship", tx -> effect(tx, "ship")).run();
            return receipt;
        });
    }

    @Test
    void all_steps_are_done_once_and_the_answer_is_that_of_the_code() throws SQLException {
        threeSteps();
        SagaResult<Receipt> result = shop.hapax.sagas().complete("fulfil", key, order, Receipt.class, LONG);
        assertThat(result).isEqualTo(new SagaResult.Completed<>(Optional.of(new Receipt(order.id()))));
        assertThat(List.of(effects("reserve"), effects("pay"), effects("ship"))).containsExactly(1L, 1L, 1L);
        assertThat(effects("release") + effects("refund")).isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.saga")).isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.saga_ended WHERE state = 'COMPLETED'"))
                .isEqualTo(1);
    }

    @Test
    void a_saga_of_three_steps_costs_three_transactions() throws SQLException {
        threeSteps();
        shop.hapax.sagas().complete("fulfil", Shop.newKey(), order, Receipt.class, LONG);
        shop.hapax.sagas().complete("fulfil", key, order, Receipt.class, LONG);
        assertThat(shop.database.queryLong(
                        "SELECT count(DISTINCT began_at) FROM hapax.saga_history t JOIN hapax.saga_ended e ON e.id = t.saga WHERE e.key = '"
                                + key.id() + "'"))
                .isEqualTo(3);
        assertThat(shop.database.queryLong("SELECT count(DISTINCT xmin::text) FROM (SELECT xmin FROM hapax.saga_step t"
                        + " UNION ALL SELECT xmin FROM hapax.saga_ended UNION ALL SELECT xmin FROM effect"
                        + " UNION ALL SELECT xmin FROM hapax.marker_30) x"))
                .isEqualTo(6);
    }

    @Test
    void what_a_step_publishes_commits_with_it_and_a_step_that_is_over_publishes_nothing() throws SQLException {
        List<dev.hapax.Transaction> kept = new CopyOnWriteArrayList<>();
        shop.hapax.saga("tell", Order.class).run((saga, given) -> {
            for (String what : List.of("reserved", "paid", "shipped")) {
                // Nothing but the message: its number is drawn after the step was recorded.
                saga.step(what, tx -> tx.publish("told", given.id(), what)).run();
                saga.step("keep-" + what, kept::add).run();
            }
        });
        shop.hapax.sagas().complete("tell", key, order, Void.class, LONG);

        assertThat(kept)
                .hasSize(3)
                .allSatisfy(tx -> assertThatThrownBy(() -> tx.publish("told", order.id(), "late"))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("has ended"));
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.log WHERE topic = 'told'"))
                .isEqualTo(3);
    }

    @Test
    void a_repeated_start_changes_nothing_and_tells_the_same_end() throws SQLException {
        threeSteps();
        assertThat(shop.hapax.sagas().start("fulfil", key, order)).isEqualTo(Verdict.APPLIED);
        assertThat(shop.hapax.sagas().start("fulfil", key, order)).isEqualTo(Verdict.REPLAYED);
        assertThat(shop.hapax.sagas().complete("fulfil", key, order, Receipt.class, LONG))
                .isEqualTo(shop.hapax.sagas().await("fulfil", key, Receipt.class, LONG))
                .isEqualTo(new SagaResult.Completed<>(Optional.of(new Receipt(order.id()))));
        assertThat(effects("reserve")).isEqualTo(1);
    }

    @Test
    void another_input_under_the_same_key_is_refused() {
        threeSteps();
        shop.hapax.sagas().start("fulfil", key, order);
        assertThatThrownBy(() -> shop.hapax.sagas().start("fulfil", key, new Order("other", 1)))
                .isInstanceOf(KeyReusedException.class);
    }

    @Test
    void a_start_inside_a_transaction_exists_if_and_only_if_that_commits() throws SQLException {
        threeSteps();
        Key operation = Shop.newKey();
        assertThatThrownBy(() -> shop.hapax.once(operation).run(tx -> {
                    shop.hapax.sagas().start(tx, "fulfil", key, order);
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.saga")).isZero();
        shop.hapax.once(operation).run(tx -> shop.hapax.sagas().start(tx, "fulfil", key, order));
        assertThat(shop.hapax.sagas().await("fulfil", key, Receipt.class, LONG))
                .isInstanceOf(SagaResult.Completed.class);
        assertThat(effects("ship")).isEqualTo(1);
    }

    @Test
    void a_failure_undoes_what_was_done_in_reverse_order_each_once() throws SQLException {
        shop.hapax.saga("fulfil", Order.class).retry(QUICK).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "a"))
                    .undo(tx -> effect(tx, "undo-a"))
                    .run();
            saga.step("pay", tx -> effect(tx, "b"))
                    .undo(tx -> effect(tx, "undo-b"))
                    .run();
            saga.step("ship", tx -> {
                        effect(tx, "c");
                        throw new IllegalStateException("no truck");
                    })
                    .undo(tx -> effect(tx, "undo-c"))
                    .run();
        });
        SagaResult<Void> result = shop.hapax.sagas().complete("fulfil", key, order, Void.class, LONG);
        assertThat(result)
                .isEqualTo(new SagaResult.Compensated<>("step ship failed: java.lang.IllegalStateException: no truck"));
        assertThat(List.of(effects("a"), effects("b"), effects("c"), effects("undo-c")))
                .containsExactly(1L, 1L, 0L, 0L);
        assertThat(List.of(effects("undo-a"), effects("undo-b"))).containsExactly(1L, 1L);
        SagaOperator.Stored stored =
                shop.hapax.sagas().operator().find(key.id()).getFirst();
        assertThat(shop.hapax.sagas().operator().steps(stored.id()))
                .extracting(step ->
                        (step.isUndo() ? "undo of " : "") + step.name() + " " + step.state() + " " + step.attempts())
                .containsExactly(
                        "reserve DONE 1",
                        "pay DONE 1",
                        "ship FAILED 3",
                        "undo of pay DONE 1",
                        "undo of reserve DONE 1");
    }

    @Test
    void a_step_that_fails_is_tried_again_and_its_result_is_kept() throws SQLException {
        AtomicInteger tries = new AtomicInteger();
        shop.hapax
                .saga("fulfil", Order.class)
                .retry(QUICK)
                .call(
                        String.class,
                        (saga, given) -> saga.step("reserve", String.class, tx -> {
                                    effect(tx, "a");
                                    if (tries.incrementAndGet() < 3) {
                                        throw new IllegalStateException("not yet");
                                    }
                                    return "try " + tries;
                                })
                                .call());
        assertThat(shop.hapax.sagas().complete("fulfil", key, order, String.class, LONG))
                .isEqualTo(new SagaResult.Completed<>(Optional.of("try 3")));
        assertThat(effects("a")).isEqualTo(1);
    }

    @Test
    void the_code_may_catch_a_failed_step_and_take_another_way() throws SQLException {
        shop.hapax
                .saga("fulfil", Order.class)
                .retry(SagaRetry.attempts(5).unless(IllegalArgumentException.class::isInstance))
                .run((saga, given) -> {
                    try {
                        saga.step("card", tx -> {
                                    effect(tx, "card");
                                    throw new IllegalArgumentException("declined");
                                })
                                .run();
                    } catch (SagaStepFailedException declined) {
                        saga.step("invoice", tx -> effect(tx, "invoice")).run();
                    }
                    saga.sleep("a-moment", Duration.ofMillis(1));
                    saga.step("ship", tx -> effect(tx, "ship")).run();
                });
        assertThat(shop.hapax.sagas().complete("fulfil", key, order, Void.class, LONG))
                .isInstanceOf(SagaResult.Completed.class);
        assertThat(List.of(effects("card"), effects("invoice"), effects("ship")))
                .containsExactly(0L, 1L, 1L);
    }

    @Test
    void a_compensation_that_cannot_succeed_leaves_the_saga_stuck_until_a_person_helps() throws SQLException {
        AtomicInteger broken = new AtomicInteger(1);
        shop.hapax
                .saga("fulfil", Order.class)
                .retry(SagaRetry.none())
                .retryUndo(QUICK)
                .run((saga, given) -> {
                    saga.step("reserve", tx -> effect(tx, "a"))
                            .undo(tx -> effect(tx, "undo-a"))
                            .run();
                    saga.step("pay", tx -> effect(tx, "b"))
                            .undo(tx -> {
                                effect(tx, "undo-b");
                                if (broken.get() == 1) {
                                    throw new IllegalStateException("bank is closed");
                                }
                            })
                            .run();
                    throw new IllegalStateException("changed my mind");
                });
        SagaResult<Void> result = shop.hapax.sagas().complete("fulfil", key, order, Void.class, LONG);
        assertThat(result)
                .isEqualTo(new SagaResult.Stuck<>(
                        "step pay could not be undone in 3 tries: java.lang.IllegalStateException: bank is closed"));
        assertThat(effects("undo-a")).isZero();
        SagaOperator operator = shop.hapax.sagas().operator();
        SagaOperator.Stored stuck =
                operator.list(java.util.Set.of(SagaState.STUCK), 10).getFirst();
        broken.set(0);
        assertThat(operator.retry(stuck.id(), new SagaOperator.Ruling("it is open again", "ann")))
                .isTrue();
        assertThat(shop.hapax.sagas().await("fulfil", key, Void.class, LONG))
                .isEqualTo(new SagaResult.Compensated<>("java.lang.IllegalStateException: changed my mind"));
        assertThat(operator.retry(stuck.id(), new SagaOperator.Ruling("again", "ann")))
                .isFalse();
        assertThat(List.of(effects("undo-a"), effects("undo-b"))).containsExactly(1L, 1L);
        assertThat(operator.actions(stuck.id()))
                .extracting(SagaOperator.Action::action)
                .containsExactly("RETRY");
    }

    @Test
    void a_sleep_goes_on_when_it_is_over_and_a_wait_when_its_signal_comes() throws SQLException {
        shop.hapax.saga("fulfil", Order.class).call(String.class, (saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "a")).run();
            saga.sleep("cool-off", Duration.ofMillis(50));
            Optional<String> paid = saga.waitFor("paid", String.class, Duration.ofHours(1));
            Optional<String> more = saga.waitFor("paid", String.class, Duration.ofMillis(20));
            saga.step("ship", tx -> effect(tx, "b")).run();
            return paid.orElse("nothing") + ", " + more.orElse("nothing");
        });
        Sagas sagas = shop.hapax.sagas();
        sagas.start("fulfil", key, order);
        assertThat(sagas.signal("fulfil", key, "paid", "1", "19.90")).isEqualTo(Sagas.Delivery.DELIVERED);
        assertThat(sagas.signal("fulfil", key, "paid", "1", "19.90")).isEqualTo(Sagas.Delivery.REPEATED);
        assertThat(sagas.await("fulfil", key, String.class, LONG))
                .isEqualTo(new SagaResult.Completed<>(Optional.of("19.90, nothing")));
        assertThat(sagas.signal("fulfil", key, "paid", "2", "19.90")).isEqualTo(Sagas.Delivery.TOO_LATE);
        assertThat(sagas.signal("fulfil", Shop.newKey(), "paid", "2", "19.90")).isEqualTo(Sagas.Delivery.UNKNOWN);
        assertThat(List.of(effects("a"), effects("b"))).containsExactly(1L, 1L);
    }

    /** By another process, whose lease is short; returns how many it took. */
    private long takeOver() throws SQLException {
        return shop.database.queryLong(
                "WITH taken AS (UPDATE hapax.saga SET token = token + 1, owner = gen_random_uuid(),"
                        + " due_at = clock_timestamp() + interval '1 second' WHERE key = '" + key.id()
                        + "' RETURNING id) SELECT count(*) FROM taken");
    }

    /** As after a pause of its process that outlasted the lease: another has taken it over, by a greater token. */
    @Test
    void an_owner_that_was_replaced_while_it_ran_a_step_changes_nothing() throws SQLException {
        AtomicInteger runs = new AtomicInteger();
        AtomicLong taken = new AtomicLong();
        shop.hapax.saga("stolen", Order.class).retry(QUICK).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve")).run();
            saga.step("look", tx -> effect(tx, "look")).run();
            saga.step("pay", tx -> {
                        effect(tx, "pay");
                        if (runs.incrementAndGet() == 1) {
                            taken.set(takeOver());
                        }
                    })
                    .run();
            saga.step("ship", tx -> effect(tx, "ship")).run();
        });

        shop.hapax.sagas().complete("stolen", key, order, Receipt.class, LONG);

        assertThat(taken).hasValue(1);
        assertThat(List.of(effects("reserve"), effects("look"), effects("pay"), effects("ship")))
                .containsExactly(1L, 1L, 1L, 1L);
        assertThat(runs)
                .as("the first was refused, when the other's lease had run out it was done")
                .hasValue(2);
    }

    @Test
    void a_cancelled_saga_is_undone_and_says_so() throws SQLException {
        shop.hapax.saga("fulfil", Order.class).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "a"))
                    .undo(tx -> effect(tx, "undo-a"))
                    .run();
            saga.waitFor("never", String.class, Duration.ofDays(1));
        });
        Sagas sagas = shop.hapax.sagas();
        sagas.start("fulfil", key, order);
        assertThat(sagas.cancel("fulfil", key, "the customer left")).isTrue();
        assertThat(sagas.await("fulfil", key, Void.class, LONG))
                .isEqualTo(new SagaResult.Cancelled<>("the customer left"));
        assertThat(sagas.cancel("fulfil", key, "the customer left")).isFalse();
        assertThat(List.of(effects("a"), effects("undo-a"))).containsExactly(1L, 1L);
    }

    @Test
    void a_saga_whose_time_is_over_is_undone() throws SQLException {
        shop.hapax.saga("fulfil", Order.class).deadline(Duration.ofMillis(200)).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "a"))
                    .undo(tx -> effect(tx, "undo-a"))
                    .run();
            saga.sleep("long", Duration.ofDays(1));
            saga.step("ship", tx -> effect(tx, "b")).run();
        });
        assertThat(shop.hapax.sagas().complete("fulfil", key, order, Void.class, LONG))
                .isInstanceOfSatisfying(
                        SagaResult.Compensated.class,
                        undone -> assertThat(undone.reason()).startsWith("its time was over at"));
        assertThat(List.of(effects("a"), effects("undo-a"), effects("b"))).containsExactly(1L, 1L, 0L);
    }

    /** With a pause for each two of them it would take ten seconds. */
    @Test
    @Tag("slow")
    void many_that_are_due_at_once_are_taken_up_as_fast_as_there_is_room() throws SQLException {
        int many = 200;
        Instant dawn = Instant.now().plusSeconds(3);
        shop.hapax.saga("wake", String.class).concurrency(2).run((saga, id) -> {
            saga.sleepUntil("dawn", dawn);
            saga.step("wake", tx -> Shop.effect(tx.connection(), id)).run();
        });
        for (int n = 0; n < many; n++) {
            shop.hapax.sagas().start("wake", Key.generate("orders"), "woke-" + key.id());
        }
        await().atMost(Duration.ofSeconds(20)).until(() -> shop.effects("woke-" + key.id()) == many);
        assertThat(Instant.now()).isBetween(dawn, dawn.plusSeconds(8));
    }

    /** Such as a {@link NumberFormatException} makes, which quotes what it was given. */
    private static final String UNPRINTABLE = "For input string: \"\u0000\uD83D\"";

    @Test
    void a_failure_in_words_that_no_column_can_hold_is_kept_in_others() throws SQLException {
        AtomicInteger tries = new AtomicInteger();
        AtomicInteger undoTries = new AtomicInteger();
        shop.hapax.saga("fulfil", Order.class).retry(QUICK).retryUndo(QUICK).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve"))
                    .undo(tx -> {
                        if (undoTries.incrementAndGet() == 1) {
                            throw new NumberFormatException(UNPRINTABLE);
                        }
                        effect(tx, "release");
                    })
                    .run();
            saga.step("pay", tx -> {
                        tries.incrementAndGet();
                        throw new NumberFormatException(UNPRINTABLE);
                    })
                    .run();
        });

        assertThat(shop.hapax.sagas().complete("fulfil", key, order, Void.class, LONG))
                .isInstanceOfSatisfying(
                        SagaResult.Compensated.class,
                        undone -> assertThat(undone.reason()).contains("NumberFormatException: For input string: \""));
        assertThat(List.of(tries.get(), undoTries.get())).containsExactly(3, 2);
        assertThat(List.of(effects("reserve"), effects("release"))).containsExactly(1L, 1L);
    }
}
