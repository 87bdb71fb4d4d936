package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Shop.Order;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Branches that go on side by side, and sagas that wait for sagas. Effects are counted in the target. */
@Tag("slow")
class SagaFamilyContractTest extends SagaStage {

    private void child(String name) {
        shop.hapax.saga(name, Order.class).retry(QUICK).call(String.class, (saga, given) -> {
            saga.step("pack", tx -> effect(tx, name + "-pack"))
                    .undo(tx -> effect(tx, name + "-unpack"))
                    .run();
            return "parcel of " + given.id();
        });
    }

    private List<String> history(String name) {
        return operator().steps(stored(name).id()).stream()
                .map(step -> (step.isUndo() ? "undo of " : "") + step.name() + " " + step.kind() + " " + step.state())
                .toList();
    }

    private long inFlight() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.saga");
    }

    @Test
    void a_child_gives_its_answer_to_its_parent_and_ends_with_it() throws SQLException {
        child("deliver");
        shop.hapax.saga("fulfil", Order.class).call(String.class, (saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve")).run();
            String parcel =
                    saga.child("delivery", "deliver", given, String.class).orElseThrow();
            saga.step("tell", tx -> effect(tx, "tell")).run();
            return parcel;
        });

        assertThat(complete("fulfil", String.class))
                .isEqualTo(new SagaResult.Completed<>(Optional.of("parcel of " + order.id())));
        assertThat(counted("reserve", "deliver-pack", "tell", "deliver-unpack")).containsExactly(1L, 1L, 1L, 0L);
        assertThat(history("fulfil")).containsExactly("reserve STEP DONE", "delivery CHILD DONE", "tell STEP DONE");
        assertThat(inFlight()).isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.saga_ended WHERE parent IS NOT NULL"))
                .isEqualTo(1);
    }

    @Test
    void a_child_that_fails_is_a_failed_step_of_its_parent() throws SQLException {
        shop.hapax.saga("deliver", Order.class).retry(SagaRetry.none()).run((saga, given) -> {
            saga.step("pack", tx -> effect(tx, "pack"))
                    .undo(tx -> effect(tx, "unpack"))
                    .run();
            throw new IllegalStateException("no truck");
        });
        shop.hapax.saga("fulfil", Order.class).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve"))
                    .undo(tx -> effect(tx, "release"))
                    .run();
            saga.child("delivery", "deliver", given, Void.class);
        });

        assertThat(complete("fulfil", Void.class))
                .isEqualTo(new SagaResult.Compensated<>(
                        "step delivery failed: it was COMPENSATED: java.lang.IllegalStateException: no truck"));
        assertThat(counted("reserve", "release", "pack", "unpack")).containsExactly(1L, 1L, 1L, 1L);
        assertThat(inFlight()).isZero();
    }

    @Test
    void a_child_that_was_completed_is_undone_when_its_parent_fails_later() throws SQLException {
        child("deliver");
        shop.hapax.saga("fulfil", Order.class).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve"))
                    .undo(tx -> effect(tx, "release"))
                    .run();
            saga.child("delivery", "deliver", given, String.class);
            throw new IllegalStateException("changed my mind");
        });

        assertThat(complete("fulfil", Void.class)).isInstanceOf(SagaResult.Compensated.class);
        assertThat(counted("reserve", "deliver-pack", "deliver-unpack", "release"))
                .containsExactly(1L, 1L, 1L, 1L);
        assertThat(history("fulfil"))
                .containsExactly(
                        "reserve STEP DONE",
                        "delivery CHILD DONE",
                        "undo of delivery CHILD DONE",
                        "undo of reserve STEP DONE");
        assertThat(inFlight()).isZero();
    }

    @Test
    void a_cancellation_reaches_children_and_their_children() throws SQLException {
        shop.hapax.saga("drive", Order.class).run((saga, given) -> {
            saga.step("start", tx -> effect(tx, "start"))
                    .undo(tx -> effect(tx, "stop"))
                    .run();
            saga.waitFor("never", String.class, Duration.ofDays(1));
        });
        shop.hapax.saga("deliver", Order.class).run((saga, given) -> {
            saga.step("pack", tx -> effect(tx, "pack"))
                    .undo(tx -> effect(tx, "unpack"))
                    .run();
            saga.child("tour", "drive", given, Void.class);
        });
        shop.hapax.saga("fulfil", Order.class).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve"))
                    .undo(tx -> effect(tx, "release"))
                    .run();
            saga.child("delivery", "deliver", given, Void.class);
        });
        shop.hapax.sagas().start("fulfil", key, order);
        await().atMost(LONG).until(() -> effects("start") == 1);

        assertThat(shop.hapax.sagas().cancel("fulfil", key, "the customer left"))
                .isTrue();

        assertThat(endOf("fulfil", Void.class)).isEqualTo(new SagaResult.Cancelled<>("the customer left"));
        assertThat(counted("reserve", "pack", "start", "stop", "unpack", "release"))
                .containsExactly(1L, 1L, 1L, 1L, 1L, 1L);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.saga_ended WHERE state = 'CANCELLED'"))
                .isEqualTo(3);
        assertThat(inFlight()).isZero();
    }

    @Test
    void branches_run_at_the_same_time_and_are_joined() throws SQLException {
        CountDownLatch both = new CountDownLatch(2);
        shop.hapax.saga("fulfil", Order.class).call(String.class, (saga, given) -> {
            SagaParallel parallel = saga.parallel();
            Supplier<String> packed = parallel.call(
                    "pack",
                    branch -> branch.step("box", String.class, tx -> {
                                effect(tx, "box");
                                meet(both);
                                return "box";
                            })
                            .call());
            parallel.run("bill", branch -> {
                branch.step("print", tx -> {
                            effect(tx, "print");
                            meet(both);
                        })
                        .run();
                branch.sleep("dry", Duration.ofMillis(5));
                branch.step("post", tx -> effect(tx, "post")).run();
            });
            parallel.join();
            saga.step("ship", tx -> effect(tx, "ship")).run();
            return packed.get();
        });

        assertThat(complete("fulfil", String.class)).isEqualTo(new SagaResult.Completed<>(Optional.of("box")));
        assertThat(counted("box", "print", "post", "ship")).containsExactly(1L, 1L, 1L, 1L);
        assertThat(history("fulfil"))
                .contains("pack>box STEP DONE", "bill>print STEP DONE", "bill>dry SLEEP OPEN", "ship STEP DONE");
    }

    private static void meet(CountDownLatch both) throws InterruptedException {
        both.countDown();
        if (!both.await(10, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the other branch did not come");
        }
    }

    @Test
    void a_branch_that_fails_undoes_all_branches_after_the_others_have_come_to_their_end() throws SQLException {
        shop.hapax
                .saga("fulfil", Order.class)
                .retry(SagaRetry.none())
                .retryUndo(QUICK)
                .run((saga, given) -> {
                    SagaParallel parallel = saga.parallel();
                    parallel.run(
                            "bad",
                            branch -> branch.step("fail", tx -> {
                                        effect(tx, "fail");
                                        throw new IllegalStateException("no");
                                    })
                                    .run());
                    parallel.run("good", branch -> {
                        branch.step("one", tx -> effect(tx, "one"))
                                .undo(tx -> effect(tx, "undo-one"))
                                .run();
                        branch.sleep("wait", Duration.ofMillis(20));
                        branch.step("two", tx -> effect(tx, "two"))
                                .undo(tx -> effect(tx, "undo-two"))
                                .run();
                    });
                    parallel.join();
                });

        assertThat(complete("fulfil", Void.class))
                .isEqualTo(new SagaResult.Compensated<>("step bad>fail failed: java.lang.IllegalStateException: no"));
        assertThat(counted("fail", "one", "two", "undo-two", "undo-one")).containsExactly(0L, 1L, 1L, 1L, 1L);
    }

    @Test
    void children_in_branches_go_on_side_by_side() throws SQLException {
        child("deliver");
        child("insure");
        shop.hapax.saga("fulfil", Order.class).call(String.class, (saga, given) -> {
            SagaParallel parallel = saga.parallel();
            Supplier<Optional<String>> one =
                    parallel.call("a", branch -> branch.child("x", "deliver", given, String.class));
            Supplier<Optional<String>> two =
                    parallel.call("b", branch -> branch.child("x", "insure", given, String.class));
            parallel.join();
            return one.get().orElseThrow() + ", " + two.get().orElseThrow();
        });

        assertThat(complete("fulfil", String.class))
                .isEqualTo(new SagaResult.Completed<>(
                        Optional.of("parcel of " + order.id() + ", parcel of " + order.id())));
        assertThat(counted("deliver-pack", "insure-pack")).containsExactly(1L, 1L);
        assertThat(inFlight()).isZero();
    }

    @Test
    void branches_that_are_not_joined_are_refused_by_name() {
        shop.hapax.saga("fulfil", Order.class).run((saga, given) -> {
            saga.parallel().run("forgotten", branch -> {});
            saga.step("ship", tx -> effect(tx, "ship")).run();
        });

        assertThat(complete("fulfil", Void.class))
                .isInstanceOfSatisfying(
                        SagaResult.Stuck.class,
                        stuck -> assertThat(stuck.reason()).contains("join() is missing"));
    }
}
