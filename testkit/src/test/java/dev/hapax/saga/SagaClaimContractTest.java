package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.failsafe.CircuitBreaker;
import dev.hapax.PausedException;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.claim.Call;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.ClaimRefusedException;
import dev.hapax.claim.Claims;
import dev.hapax.claim.Probe;
import dev.hapax.control.Control;
import dev.hapax.failsafe.FailsafeBreaker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Steps whose effect is at a bank, which keeps its own books: what is charged is counted there. */
class SagaClaimContractTest extends SagaStage {

    private static final CallPolicy HONOURS_KEY =
            CallPolicy.idempotent().backoff(Duration.ofMillis(1), Duration.ofMillis(5));
    private static final CallPolicy IS_ASKED = CallPolicy.notIdempotent()
            .backoff(Duration.ofMillis(1), Duration.ofMillis(5))
            .arrivesWithin(Duration.ZERO);
    private static final SagaRetry OFTEN = SagaRetry.attempts(50).backoff(Duration.ofMillis(1), Duration.ofMillis(20));

    private final Bank bank = new Bank();

    /** Another system: what it has done by key. */
    private static final class Bank {

        private final Map<String, Integer> charges = new ConcurrentHashMap<>();
        private final Map<String, Integer> refunds = new ConcurrentHashMap<>();
        private final AtomicInteger failing = new AtomicInteger();

        String charge(Call call) throws IOException {
            charges.merge(call.idempotencyKey(), 1, Integer::sum);
            loseAnswer();
            return "charged";
        }

        void refund(Call call) throws IOException {
            refunds.merge(call.idempotencyKey(), 1, Integer::sum);
            loseAnswer();
        }

        private void loseAnswer() throws IOException {
            if (failing.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new IOException("connection reset");
            }
        }

        Probe<String> find(Call call) {
            return charges.containsKey(call.idempotencyKey()) ? Probe.done("charged") : Probe.notDone();
        }
    }

    @Test
    void a_claim_is_called_without_a_transaction_and_settled_with_its_step() throws SQLException {
        shop.hapax.saga("pay", Order.class).call(String.class, (saga, given) -> {
            String charge = saga.claim("charge", String.class, bank::charge)
                    .policy(HONOURS_KEY)
                    .settling((answer, tx) -> effect(tx, "booked"))
                    .call();
            saga.sleep("a-moment", Duration.ofMillis(1));
            saga.step("tell", tx -> effect(tx, "tell")).run();
            return charge;
        });

        assertThat(complete("pay", String.class)).isEqualTo(new SagaResult.Completed<>(Optional.of("charged")));
        assertThat(bank.charges.values()).containsExactly(1);
        assertThat(counted("booked", "tell")).containsExactly(1L, 1L);
        assertThat(operator().steps(stored("pay").id()))
                .extracting(step -> step.name() + " " + step.kind() + " " + step.state())
                .containsExactly("charge CLAIM DONE", "a-moment SLEEP OPEN", "tell STEP DONE");
    }

    @Test
    void a_lost_answer_is_asked_for_before_any_second_call() throws SQLException {
        bank.failing.set(1);
        shop.hapax
                .saga("pay", Order.class)
                .run((saga, given) -> saga.claim("charge", String.class, bank::charge)
                        .policy(IS_ASKED)
                        .probe(bank::find)
                        .retry(OFTEN)
                        .settling((answer, tx) -> effect(tx, "booked"))
                        .call());

        assertThat(complete("pay", Void.class)).isInstanceOf(SagaResult.Completed.class);
        assertThat(bank.charges.values()).containsExactly(1);
        assertThat(counted("booked")).containsExactly(1L);
    }

    @Test
    void a_refusal_is_a_failed_step_and_what_was_done_is_undone() throws SQLException {
        shop.hapax.saga("pay", Order.class).run((saga, given) -> {
            saga.step("reserve", tx -> effect(tx, "reserve"))
                    .undo(tx -> effect(tx, "release"))
                    .run();
            saga.claim("charge", String.class, call -> {
                        throw new ClaimRefusedException("no money");
                    })
                    .policy(HONOURS_KEY)
                    .call();
        });

        assertThat(complete("pay", Void.class)).isEqualTo(new SagaResult.Compensated<>("step charge failed: no money"));
        assertThat(counted("reserve", "release")).containsExactly(1L, 1L);
    }

    @Test
    void a_compensation_may_be_a_call_too_with_a_key_of_its_own() throws SQLException {
        shop.hapax.saga("pay", Order.class).retryUndo(OFTEN).run((saga, given) -> {
            saga.claim("charge", String.class, bank::charge)
                    .policy(HONOURS_KEY)
                    .undoneBy((answer, call) -> {
                        bank.failing.set(bank.refunds.isEmpty() ? 1 : 0);
                        bank.refund(call);
                    })
                    .undo((answer, tx) -> effect(tx, "unbooked"))
                    .call();
            throw new IllegalStateException("changed my mind");
        });

        assertThat(complete("pay", Void.class)).isInstanceOf(SagaResult.Compensated.class);
        assertThat(bank.charges.values()).containsExactly(1);
        assertThat(bank.refunds).as("called twice with one key").hasSize(1).containsValue(2);
        assertThat(bank.refunds.keySet()).doesNotContainAnyElementsOf(bank.charges.keySet());
        assertThat(counted("unbooked")).containsExactly(1L);
    }

    /** The call is on its way when the saga is cancelled: it took effect, so it is undone. */
    @Test
    void what_became_of_a_call_is_found_out_before_it_is_undone() throws Exception {
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        shop.hapax
                .saga("pay", Order.class)
                .retryUndo(OFTEN)
                .run((saga, given) -> saga.claim("charge", String.class, call -> {
                            called.countDown();
                            pass(cancelled);
                            return bank.charge(call);
                        })
                        .policy(IS_ASKED.lease(Duration.ofMillis(500)))
                        .probe(bank::find)
                        .undoneBy((answer, call) -> bank.refund(call))
                        .call());
        shop.hapax.sagas().start("pay", key, order);
        pass(called);
        assertThat(shop.hapax.sagas().cancel("pay", key, "the customer left")).isTrue();
        cancelled.countDown();

        assertThat(endOf("pay", Void.class)).isInstanceOf(SagaResult.Cancelled.class);
        assertThat(bank.charges.values()).containsExactly(1);
        assertThat(bank.refunds.values()).containsExactly(1);
    }

    private static void pass(CountDownLatch latch) throws InterruptedException {
        if (!latch.await(10, TimeUnit.SECONDS)) {
            throw new IllegalStateException("it did not come");
        }
    }

    @Test
    void a_claim_waits_while_its_scope_is_paused_which_is_no_try() throws SQLException {
        shop.hapax.saga("pay", Order.class).call(String.class, (saga, given) -> {
            saga.step("hold", tx -> holdScope()).run();
            return saga.claim("charge", String.class, bank::charge)
                    .policy(HONOURS_KEY)
                    .retry(SagaRetry.none())
                    .call();
        });

        shop.hapax.sagas().start("pay", key, order);
        await().atMost(LONG).until(() -> stored("pay").state() == SagaState.WAITING);
        assertThat(bank.charges).isEmpty();

        shop.hapax.control().resume(Control.Kind.SCOPE, key.scope());
        assertThat(endOf("pay", String.class)).isEqualTo(new SagaResult.Completed<>(Optional.of("charged")));
        assertThat(bank.charges.values()).containsExactly(1);
    }

    private void holdScope() {
        shop.hapax.control().pause(Control.Kind.SCOPE, key.scope(), "the bank is down", "ann");
        await().atMost(LONG)
                .untilAsserted(() -> assertThatThrownBy(
                                () -> shop.hapax.once(Shop.newKey()).run(tx -> {}))
                        .isInstanceOf(PausedException.class));
    }

    @Test
    void what_nobody_can_know_waits_for_a_person_who_settles_it() throws SQLException {
        shop.hapax
                .saga("pay", Order.class)
                .call(
                        String.class,
                        (saga, given) -> saga.claim("charge", String.class, call -> {
                                    bank.charge(call);
                                    throw new IOException("connection reset");
                                })
                                .retry(SagaRetry.attempts(2).backoff(Duration.ofMillis(1), Duration.ofMillis(1)))
                                .call());

        assertThat(complete("pay", String.class))
                .isInstanceOfSatisfying(
                        SagaResult.Stuck.class,
                        stuck -> assertThat(stuck.reason()).contains("claim charge is not known", "in doubt since"));
        assertThat(bank.charges.values()).containsExactly(1);

        Claims claims = shop.hapax.claims();
        Claims.Claimed doubt = claims.list(Set.of(Claims.State.IN_DOUBT), 10).getFirst();
        assertThat(stored("pay").reason())
                .hasValueSatisfying(reason -> assertThat(reason)
                        .contains("./hapax claims show " + doubt.key().scope() + " "
                                + doubt.key().id()));
        claims.settle(
                doubt.key(),
                "string",
                "charged".getBytes(StandardCharsets.UTF_8),
                Claims.Ruling.of("seen in the bank's books", "ann"));
        assertThat(operator().retry(stored("pay").id(), new SagaOperator.Ruling("settled", "ann")))
                .isTrue();

        assertThat(endOf("pay", String.class)).isEqualTo(new SagaResult.Completed<>(Optional.of("charged")));
        assertThat(bank.charges.values()).containsExactly(1);
    }

    @Test
    void a_claim_that_certainly_did_nothing_fails_and_is_sealed() throws SQLException {
        AtomicInteger calls = new AtomicInteger();
        CircuitBreaker<Object> breaker =
                CircuitBreaker.builder().withFailureThreshold(10).build();
        shop.hapax
                .saga("pay", Order.class)
                .run((saga, given) -> saga.claim("charge", String.class, call -> {
                            calls.incrementAndGet();
                            throw new java.net.ConnectException("refused");
                        })
                        .policy(HONOURS_KEY
                                .breaker(FailsafeBreaker.of(breaker))
                                .didNotHappen(failure -> failure instanceof java.net.ConnectException))
                        .retry(SagaRetry.attempts(3).backoff(Duration.ofMillis(1), Duration.ofMillis(1)))
                        .call());

        assertThat(complete("pay", Void.class)).isInstanceOf(SagaResult.Compensated.class);
        assertThat(calls).hasValue(3);
        assertThat(breaker.getFailureCount()).isEqualTo(3);
        assertThat(breaker.getSuccessCount()).as("nobody was called to seal it").isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.claim")).isZero();
    }
}
