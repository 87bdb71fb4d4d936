package dev.hapax.claim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.RetryException;
import dev.hapax.Shop;
import dev.hapax.claim.Bank.Trouble;
import dev.hapax.claim.ClaimResult.InDoubt;
import dev.hapax.claim.ClaimResult.Refused;
import dev.hapax.claim.ClaimResult.Settled;
import java.net.ConnectException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One caller and one operation in another system. */
class ClaimContractTest {

    private static final Duration SOON = Duration.ofSeconds(20);
    private static final CallPolicy QUICK = CallPolicy.notIdempotent()
            .backoff(Duration.ofMillis(1), Duration.ofMillis(5))
            .arrivesWithin(Duration.ZERO);
    private static final CallPolicy QUICK_IDEMPOTENT =
            CallPolicy.idempotent().backoff(Duration.ofMillis(1), Duration.ofMillis(5));

    private Shop shop;
    private final Key key = Key.generate("payments.charge");

    @BeforeEach
    void open() {
        shop = Shop.open();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private Claim<String> claim(Bank bank) {
        return shop.hapax.claim(key).perform(bank::charge).settling((charge, tx) -> {
            Shop.effect(tx.connection(), key.id());
            tx.publish("charged", key.id(), charge);
        });
    }

    private long inFlight() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.claim");
    }

    private long messages() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.log");
    }

    @Test
    void a_call_is_settled_with_its_local_effects_and_messages_in_one_commit() throws SQLException {
        Bank bank = new Bank(true);
        ClaimResult<String> result = claim(bank).settleWithin(SOON);
        assertThat(result).isInstanceOf(Settled.class);
        assertThat(((Settled<String>) result).value()).startsWith("charge-1-");
        assertThat(shop.effects(key)).isEqualTo(1);
        assertThat(messages()).isEqualTo(1);
        assertThat(inFlight()).isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.marker WHERE scope = 'payments.charge'"))
                .isEqualTo(1);
    }

    @Test
    void a_repeat_of_what_is_settled_gets_the_first_answer_and_calls_nobody() throws SQLException {
        Bank bank = new Bank(false);
        ClaimResult<String> first = claim(bank).settleWithin(SOON);
        assertThat(claim(bank).settleWithin(SOON)).isEqualTo(first);
        assertThat(bank.log()).containsExactly("call 1");
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void no_transaction_is_open_during_the_call_and_its_intent_is_committed() {
        AtomicReference<String> seen = new AtomicReference<>("");
        shop.hapax
                .claim(key)
                .perform(call -> {
                    seen.set(shop.database.queryLong(
                                    "SELECT count(*) FROM hapax.claim WHERE doubt_since IS NULL AND attempts = 1")
                            + " claimed, "
                            + shop.database.queryLong(
                                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                            + " AND state LIKE 'idle in transaction%'")
                            + " open");
                    return "done";
                })
                .settleWithin(SOON);
        assertThat(seen).hasValue("1 claimed, 0 open");
    }

    @Test
    void a_refusal_is_final_and_repeats_are_told() throws SQLException {
        Bank bank = new Bank(false).next(Trouble.DECLINES);
        ClaimResult<String> result = claim(bank)
                .refusing((reason, tx) -> Shop.effect(tx.connection(), "refused " + reason))
                .settleWithin(SOON);
        assertThat(result).isEqualTo(new Refused<>(key, "card declined"));
        assertThat(claim(bank).settleWithin(SOON)).isEqualTo(result);
        assertThat(bank.charges()).isZero();
        assertThat(shop.effects("refused card declined")).isEqualTo(1);
        assertThat(shop.effects(key)).isZero();
        assertThat(inFlight()).isZero();
    }

    @Test
    void a_lost_reply_of_a_system_that_can_be_neither_asked_nor_called_again_is_in_doubt_at_once() {
        Bank bank = new Bank(false).next(Trouble.REPLY_LOST);
        ClaimResult<String> result = claim(bank).settleWithin(SOON);
        assertThat(result).isInstanceOf(InDoubt.class);
        InDoubt<String> doubt = (InDoubt<String>) result;
        assertThat(doubt.attempts()).isEqualTo(1);
        assertThat(doubt.lastError()).contains("connection reset");
        assertThat(claim(bank).settleWithin(SOON)).isEqualTo(doubt);
        assertThat(bank.charges()).isEqualTo(1);
        assertThat(bank.log()).containsExactly("call 1");
    }

    @Test
    void a_lost_reply_is_asked_for() {
        Bank bank = new Bank(false).next(Trouble.REPLY_LOST);
        ClaimResult<String> result = claim(bank).probe(bank::find).policy(QUICK).settleWithin(SOON);
        assertThat(result).isInstanceOf(Settled.class);
        assertThat(bank.log()).containsExactly("call 1", "question");
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void a_lost_call_is_asked_about_before_it_is_made_again() {
        Bank bank = new Bank(false).next(Trouble.CALL_LOST);
        ClaimResult<String> result = claim(bank).probe(bank::find).policy(QUICK).settleWithin(SOON);
        assertThat(result).isInstanceOf(Settled.class);
        assertThat(bank.log()).containsExactly("call 1", "question", "call 2");
    }

    @Test
    void not_done_is_not_believed_while_the_last_call_may_still_arrive() {
        Bank bank = new Bank(false).next(Trouble.CALL_LOST);
        ClaimResult<String> result = claim(bank)
                .probe(bank::find)
                .policy(QUICK.arrivesWithin(Duration.ofMinutes(5)))
                .settleWithin(Duration.ofSeconds(2));
        assertThat(result).isInstanceOf(InDoubt.class);
        assertThat(bank.log()).contains("question").doesNotContain("call 2");
    }

    @Test
    void a_system_that_honours_the_key_is_called_again_with_the_same_one() {
        Bank bank = new Bank(true).next(Trouble.REPLY_LOST, Trouble.CALL_LOST);
        ClaimResult<String> result = claim(bank).policy(QUICK_IDEMPOTENT).settleWithin(SOON);
        assertThat(result).isInstanceOf(Settled.class);
        assertThat(bank.log()).containsExactly("call 1", "call 2", "call 3");
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void what_certainly_did_not_happen_is_tried_again_without_a_question() {
        Bank bank = new Bank(false).next(Trouble.UNREACHABLE, Trouble.UNREACHABLE);
        ClaimResult<String> result = claim(bank)
                .policy(QUICK.didNotHappen(failure -> failure instanceof ConnectException))
                .settleWithin(SOON);
        assertThat(result).isInstanceOf(Settled.class);
        assertThat(bank.log()).containsExactly("call 1", "call 2", "call 3");
    }

    @Test
    void what_certainly_did_not_happen_leaves_nothing_behind_when_its_tries_are_over() throws SQLException {
        Bank bank = new Bank(false).next(Trouble.UNREACHABLE, Trouble.UNREACHABLE);
        CallPolicy policy = QUICK.didNotHappen(failure -> failure instanceof ConnectException)
                .attempts(2);
        assertThatThrownBy(() -> claim(bank).policy(policy).settleWithin(SOON))
                .isInstanceOf(RetryException.class)
                .hasCauseInstanceOf(ConnectException.class);
        assertThat(inFlight()).isZero();
        assertThat(claim(bank).policy(policy).settleWithin(SOON)).isInstanceOf(Settled.class);
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void the_next_caller_asks_about_what_was_left_in_doubt() {
        Bank bank =
                new Bank(false).next(Trouble.REPLY_LOST).nextQuestion(Trouble.SILENT, Trouble.SILENT, Trouble.SILENT);
        assertThat(claim(bank).probe(bank::find).policy(QUICK).settleWithin(Duration.ofMillis(10)))
                .isInstanceOf(InDoubt.class);
        assertThat(claim(bank).probe(bank::find).policy(QUICK).settleWithin(SOON))
                .isInstanceOf(Settled.class);
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void another_request_under_the_same_key_is_refused_in_flight_and_afterwards() {
        Bank bank = new Bank(false).next(Trouble.REPLY_LOST);
        assertThat(claim(bank).matching("10 EUR").settleWithin(SOON)).isInstanceOf(InDoubt.class);
        assertThatThrownBy(() -> claim(bank).matching("20 EUR").settleWithin(SOON))
                .isInstanceOf(KeyReusedException.class);
        assertThat(claim(bank).matching("10 EUR").probe(bank::find).settleWithin(SOON))
                .isInstanceOf(Settled.class);
        assertThatThrownBy(() -> claim(bank).matching("20 EUR").settleWithin(SOON))
                .isInstanceOf(KeyReusedException.class);
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void a_second_caller_waits_for_the_first_answer_or_is_told() throws Exception {
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        CompletableFuture<ClaimResult<String>> first = Shop.async(() -> shop.hapax
                .claim(key)
                .perform(call -> {
                    called.countDown();
                    answer.await();
                    return "first";
                })
                .settleWithin(SOON));
        called.await();
        Claim<String> second = shop.hapax.claim(key).perform(call -> "second");
        assertThatThrownBy(() -> second.refuseIfInProgress().settleWithin(SOON))
                .isInstanceOf(InProgressException.class);
        assertThatThrownBy(() -> shop.hapax.claim(key).perform(call -> "second").settleWithin(Duration.ofMillis(50)))
                .isInstanceOf(InProgressException.class);
        CompletableFuture<ClaimResult<String>> third =
                Shop.async(() -> shop.hapax.claim(key).perform(call -> "third").settleWithin(SOON));
        answer.countDown();
        assertThat(((Settled<String>) first.get()).value()).isEqualTo("first");
        assertThat(third.get()).isEqualTo(first.get());
    }

    @Test
    void a_call_that_takes_too_long_is_interrupted_and_in_doubt() {
        ClaimResult<String> result = shop.hapax
                .claim(key)
                .policy(CallPolicy.notIdempotent().callWithin(Duration.ofMillis(50)))
                .perform(call -> {
                    new CountDownLatch(1).await();
                    return "never";
                })
                .settleWithin(SOON);
        assertThat(result).isInstanceOf(InDoubt.class);
        assertThat(((InDoubt<String>) result).lastError()).startsWith("interrupted after PT0.05S");
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void the_answer_is_kept_when_local_effects_fail_and_the_next_caller_settles_it_without_calling()
            throws SQLException {
        Bank bank = new Bank(false);
        assertThatThrownBy(() -> shop.hapax
                        .claim(key)
                        .perform(bank::charge)
                        .settling((charge, tx) -> {
                            throw new SQLException("no such account", "23503");
                        })
                        .settleWithin(SOON))
                .isInstanceOf(SQLException.class)
                .hasMessage("no such account");
        assertThat(shop.effects(key)).isZero();
        assertThat(claim(bank).settleWithin(SOON)).isInstanceOf(Settled.class);
        assertThat(shop.effects(key)).isEqualTo(1);
        assertThat(bank.log()).containsExactly("call 1");
    }

    @Test
    void the_lease_is_extended_while_a_call_runs() throws Exception {
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        CallPolicy policy = QUICK_IDEMPOTENT.lease(Duration.ofMillis(500));
        CompletableFuture<ClaimResult<String>> first = Shop.async(() -> shop.hapax
                .claim(key)
                .policy(policy)
                .perform(call -> {
                    called.countDown();
                    answer.await();
                    return "first";
                })
                .settleWithin(SOON));
        called.await();
        long token = shop.database.queryLong("SELECT token FROM hapax.claim");
        assertThatThrownBy(() -> shop.hapax
                        .claim(key)
                        .policy(policy)
                        .perform(call -> "second")
                        .settleWithin(Duration.ofMillis(1_500)))
                .isInstanceOf(InProgressException.class);
        assertThat(shop.database.queryLong("SELECT token FROM hapax.claim")).isEqualTo(token);
        answer.countDown();
        assertThat(((Settled<String>) first.get()).value()).isEqualTo("first");
    }

    @ParameterizedTest
    @CsvSource({
        "read committed, false",
        "read committed, true",
        "repeatable read, false",
        "serializable, false",
        "serializable, true"
    })
    void a_caller_whose_look_is_older_than_the_settlement_does_not_call_again(String isolation, boolean repeats)
            throws Exception {
        shop.database.execute(
                "ALTER DATABASE " + shop.database.name() + " SET default_transaction_isolation = '" + isolation + "'");
        try (Hapax hapax = Shop.builder(shop.database.pooled(6)).open()) {
            if (repeats) {
                // From now on they are expected, and a look goes before an intent as well.
                Key other = Key.generate("payments.charge");
                hapax.claim(other).perform(new Bank(false)::charge).settleWithin(SOON);
                hapax.claim(other).perform(new Bank(false)::charge).settleWithin(SOON);
            }
            Bank bank = new Bank(false);
            CountDownLatch settling = new CountDownLatch(1);
            CountDownLatch settle = new CountDownLatch(1);
            CompletableFuture<ClaimResult<String>> first = Shop.async(() -> hapax.claim(key)
                    .perform(bank::charge)
                    .settling((charge, tx) -> {
                        settling.countDown();
                        settle.await();
                    })
                    .settleWithin(SOON));
            settling.await();
            // Its claim and its marker are written and not committed: the second one waits for the claim's row, with a
            // look at the markers that is from before.
            CompletableFuture<ClaimResult<String>> second =
                    Shop.async(() -> hapax.claim(key).perform(bank::charge).settleWithin(SOON));
            await().until(() -> shop.database.queryLong(
                            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
                    > 0);
            settle.countDown();
            assertThat(second.get()).isEqualTo(first.get());
            assertThat(bank.log()).containsExactly("call 1");
            assertThat(inFlight()).isZero();
        }
    }
}
