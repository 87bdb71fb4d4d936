package dev.hapax.claim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.claim.Bank.Trouble;
import dev.hapax.claim.ClaimResult.InDoubt;
import dev.hapax.claim.ClaimResult.Refused;
import dev.hapax.claim.ClaimResult.Settled;
import dev.hapax.claim.Claims.Ruling;
import dev.hapax.claim.Claims.State;
import dev.hapax.control.Control;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Operations in another system that go on without their caller. */
@Tag("slow")
class ClaimKindContractTest {

    private static final String SCOPE = "payments.charge";
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final CallPolicy ASKED = CallPolicy.notIdempotent()
            .backoff(Duration.ofMillis(1), Duration.ofMillis(20))
            .arrivesWithin(Duration.ZERO);
    private static final Order ORDER = new Order("o-1", 3);

    private Shop shop;
    private final List<AutoCloseable> open = new ArrayList<>();

    @BeforeEach
    void open() {
        shop = Shop.open();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
        shop.close();
    }

    private ClaimKindBuilder<Order, String> kind(Hapax hapax, Bank bank) {
        return hapax.claims(SCOPE, Order.class, String.class)
                .perform((order, call) -> bank.charge(call))
                .probe((order, call) -> bank.find(call))
                .policy(ASKED)
                .settling((order, charge, tx) ->
                        Shop.effect(tx.connection(), tx.key().id()))
                .idle(Duration.ofMillis(20));
    }

    private ClaimKind<Order, String> started(ClaimKindBuilder<Order, String> builder) {
        ClaimKind<Order, String> kind = builder.start();
        open.add(kind);
        return kind;
    }

    private static Key newKey() {
        return Key.generate(SCOPE);
    }

    private static Ruling ruling(String reason) {
        return Ruling.of(reason, "anna");
    }

    private Optional<ClaimResult<String>> awaited(ClaimKind<Order, String> kind, Key key) {
        await().until(() -> kind.find(key).filter(r -> !(r instanceof InDoubt)).isPresent());
        return kind.find(key);
    }

    @Test
    void an_intent_that_was_committed_with_an_effect_is_carried_out_by_a_worker() throws SQLException {
        Bank bank = new Bank(false);
        ClaimKind<Order, String> kind = started(kind(shop.hapax, bank));
        Key key = newKey();
        shop.hapax.once(Shop.newKey()).run(tx -> {
            assertThat(kind.submit(tx, key, ORDER)).isTrue();
            assertThat(kind.submit(tx, key, ORDER)).isFalse();
        });
        assertThat(awaited(kind, key)).containsInstanceOf(Settled.class);
        assertThat(bank.charges()).isEqualTo(1);
        assertThat(shop.effects(key)).isEqualTo(1);
        shop.hapax
                .once(Shop.newKey())
                .run(tx -> assertThat(kind.submit(tx, key, ORDER)).isFalse());
        assertThatThrownBy(() -> shop.hapax.once(Shop.newKey()).run(tx -> kind.submit(tx, key, new Order("o-1", 4))))
                .isInstanceOf(KeyReusedException.class);
    }

    @Test
    void an_intent_that_was_rolled_back_is_carried_out_by_nobody() throws SQLException {
        Bank bank = new Bank(false);
        ClaimKind<Order, String> kind = started(kind(shop.hapax, bank));
        assertThatThrownBy(() -> shop.hapax.once(Shop.newKey()).run(tx -> {
                    kind.submit(tx, newKey(), ORDER);
                    throw new IllegalArgumentException("no");
                }))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.claim")).isZero();
    }

    @Test
    void a_waiting_caller_gets_the_answer() {
        Bank bank = new Bank(false).next(Trouble.REPLY_LOST);
        ClaimKind<Order, String> kind = started(kind(shop.hapax, bank));
        Key key = newKey();
        ClaimResult<String> result = kind.settle(key, ORDER, SOON);
        assertThat(result).isInstanceOf(Settled.class);
        assertThat(kind.settle(key, ORDER, SOON)).isEqualTo(result);
        assertThatThrownBy(() -> kind.settle(key, new Order("o-1", 4), SOON)).isInstanceOf(KeyReusedException.class);
        assertThatThrownBy(() -> kind.settle(Key.generate("other"), ORDER, SOON))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void what_a_caller_leaves_in_doubt_is_asked_about_until_it_is_known() {
        Bank bank = new Bank(false)
                .next(Trouble.REPLY_LOST)
                .nextQuestion(Trouble.SILENT, Trouble.SILENT, Trouble.SILENT, Trouble.SILENT, Trouble.SILENT);
        ClaimKind<Order, String> kind = started(kind(shop.hapax, bank));
        Key key = newKey();
        kind.settle(key, ORDER, Duration.ofMillis(10));
        assertThat(awaited(kind, key)).containsInstanceOf(Settled.class);
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void a_claim_whose_owner_is_gone_is_taken_up_by_another_process_which_asks_first() throws SQLException {
        Bank bank = new Bank(false);
        Key key = newKey();
        ClaimKind<Order, String> kind = started(kind(shop.hapax, bank));
        kind.settle(key, ORDER, SOON);
        // As a process would leave it that was killed after its call and before it could settle.
        shop.database.execute("TRUNCATE hapax.marker_30, hapax.outcome_30, effect");
        shop.database.execute(
                "INSERT INTO hapax.claim (scope, producer, key, key_time, due_at, called_at, attempts, owner, request_type, request)"
                        + " SELECT s.id, p.id, '" + key.id() + "', '"
                        + key.time().orElseThrow()
                        + "', now(), now(), 1, 'gone', 'order.v1', '{\"id\":\"o-1\",\"quantity\":3}'"
                        + " FROM hapax.scope s, hapax.producer p WHERE s.name = '" + SCOPE + "' AND p.name = 'shop'");
        assertThat(awaited(kind, key)).containsInstanceOf(Settled.class);
        assertThat(bank.log()).containsExactly("call 1", "question");
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void a_person_settles_what_is_in_doubt_and_local_effects_follow_without_a_call() throws SQLException {
        Bank bank = new Bank(false).next(Trouble.REPLY_LOST);
        ClaimKindBuilder<Order, String> deaf = shop.hapax
                .claims(SCOPE, Order.class, String.class)
                .perform((order, call) -> bank.charge(call))
                .settling((order, charge, tx) ->
                        Shop.effect(tx.connection(), tx.key().id() + charge))
                .idle(Duration.ofMillis(20));
        ClaimKind<Order, String> kind = started(deaf);
        Key key = newKey();
        assertThat(kind.settle(key, ORDER, SOON)).isInstanceOf(InDoubt.class);
        Claims claims = shop.hapax.claims();
        assertThat(claims.list(SCOPE, EnumSet.of(State.IN_DOUBT), 10))
                .singleElement()
                .satisfies(claimed -> {
                    assertThat(claimed.key()).isEqualTo(key);
                    assertThat(claimed.overdue()).isEmpty();
                    assertThat(claimed.progress().attempts()).isEqualTo(1);
                    assertThat(claimed.progress().lastError())
                            .hasValueSatisfying(e -> assertThat(e).contains("reset"));
                });
        for (int click = 0; click < 2; click++) {
            claims.settle(key, "string", "c-77".getBytes(StandardCharsets.UTF_8), ruling("found in their portal"));
        }
        assertThat(awaited(kind, key)).hasValue(new Settled<>(key, Optional.of("c-77")));
        assertThat(shop.effects(key.id() + "c-77")).isEqualTo(1);
        assertThat(claims.decisions(key)).singleElement().satisfies(decided -> {
            assertThat(decided.decision()).isEqualTo(Claims.Decision.SETTLE);
            assertThat(decided.by()).isEqualTo("anna");
        });
        claims.settle(key, "string", "c-77".getBytes(StandardCharsets.UTF_8), ruling("found in their portal"));
        assertThatThrownBy(() -> claims.refuse(key, ruling("no"))).isInstanceOf(IllegalStateException.class);
        assertThat(claims.list(EnumSet.allOf(State.class), 10)).isEmpty();
        assertThat(bank.log()).containsExactly("call 1");
    }

    @Test
    void a_person_refuses_at_once_what_nobody_has_code_for() {
        Bank bank = new Bank(false).next(Trouble.CALL_LOST);
        Key key = newKey();
        assertThat(shop.hapax.claim(key).perform(bank::charge).settleWithin(SOON))
                .isInstanceOf(InDoubt.class);
        shop.hapax.claims().refuse(key, ruling("never arrived there").withoutEffects());
        assertThat(shop.hapax.claim(key).perform(bank::charge).settleWithin(SOON))
                .isEqualTo(new Refused<>(key, "never arrived there"));
        assertThat(bank.log()).containsExactly("call 1");
        assertThat(shop.hapax.claims().find(key)).isEmpty();
    }

    @Test
    void nothing_is_decided_while_somebody_calls() throws Exception {
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        Key key = newKey();
        var caller = Shop.async(() -> shop.hapax
                .claim(key)
                .perform(call -> {
                    called.countDown();
                    answer.await();
                    return "answer";
                })
                .settleWithin(SOON));
        called.await();
        assertThatThrownBy(() -> shop.hapax.claims().refuse(key, ruling("no"))).isInstanceOf(InProgressException.class);
        assertThat(shop.hapax.claims().probe(key)).isFalse();
        answer.countDown();
        assertThat(caller.get()).isInstanceOf(Settled.class);
    }

    @Test
    void what_certainly_did_not_happen_for_too_long_is_given_up() {
        Bank bank = new Bank(false)
                .next(java.util.Collections.nCopies(10_000, Trouble.UNREACHABLE).toArray(Trouble[]::new));
        ClaimKind<Order, String> kind = started(kind(shop.hapax, bank)
                .policy(ASKED.didNotHappen(failure -> failure instanceof ConnectException))
                .giveUpAfter(Duration.ofSeconds(1)));
        Key key = newKey();
        shop.hapax.once(Shop.newKey()).run(tx -> kind.submit(tx, key, ORDER));
        assertThat(awaited(kind, key))
                .hasValueSatisfying(result ->
                        assertThat(((Refused<String>) result).reason()).startsWith("given up after PT1S"));
        assertThat(bank.charges()).isZero();
        assertThat(bank.log()).doesNotContain("question").hasSizeGreaterThan(2);
    }

    @Test
    void many_are_carried_out_at_once_but_not_more_than_allowed() throws Exception {
        AtomicInteger most = new AtomicInteger();
        AtomicInteger now = new AtomicInteger();
        Semaphore done = new Semaphore(0);
        // Nobody goes on before seven are there.
        CyclicBarrier seven = new CyclicBarrier(7);
        ClaimKind<Order, String> kind = started(shop.hapax
                .claims(SCOPE, Order.class, String.class)
                .perform((order, call) -> {
                    most.accumulateAndGet(now.incrementAndGet(), Math::max);
                    seven.await();
                    now.decrementAndGet();
                    done.release();
                    return call.idempotencyKey();
                })
                .concurrency(7)
                .idle(Duration.ofMillis(20)));
        List<Order> orders = new ArrayList<>();
        for (int n = 0; n < 210; n++) {
            orders.add(new Order("o-" + n, n + 1));
        }
        shop.hapax.once(Shop.newKey()).run(tx -> {
            for (Order order : orders) {
                kind.submit(tx, newKey(), order);
            }
        });
        done.acquire(210);
        await().until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.claim") == 0);
        assertThat(most.get()).isEqualTo(7);
        assertThat(done.availablePermits()).isZero();
    }

    @Test
    void no_more_calls_are_made_in_a_second_than_allowed() throws SQLException {
        List<Instant> calls = new ArrayList<>();
        ClaimKind<Order, String> kind = started(shop.hapax
                .claims(SCOPE, Order.class, String.class)
                .perform((order, call) -> {
                    synchronized (calls) {
                        calls.add(Instant.now());
                    }
                    return "done";
                })
                .rate(20)
                .idle(Duration.ofMillis(20)));
        shop.hapax.once(Shop.newKey()).run(tx -> {
            for (int n = 0; n < 30; n++) {
                kind.submit(tx, newKey(), new Order("o-" + n, 1));
            }
        });
        await().until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.claim") == 0);
        synchronized (calls) {
            // Bursts of two; the rest come one by one.
            assertThat(Duration.between(calls.getFirst(), calls.getLast())).isGreaterThan(Duration.ofMillis(1_200));
        }
    }

    @Test
    void a_paused_scope_is_left_alone() {
        Bank bank = new Bank(false);
        ClaimKind<Order, String> kind = started(kind(shop.hapax, bank));
        shop.hapax.control().pause(Control.Kind.SCOPE, SCOPE, "provider is down", "anna");
        Key key = newKey();
        await().untilAsserted(() -> assertThatThrownBy(() -> kind.settle(newKey(), ORDER, SOON))
                .isInstanceOf(dev.hapax.PausedException.class));
        int before = bank.charges();
        shop.hapax.once(Shop.newKey()).run(tx -> kind.submit(tx, key, ORDER));
        assertThat(kind.find(key)).isEmpty();
        assertThat(bank.charges()).isEqualTo(before);
        shop.hapax.control().resume(Control.Kind.SCOPE, SCOPE);
        assertThat(awaited(kind, key)).containsInstanceOf(Settled.class);
    }

    @Test
    void while_the_history_waits_for_an_operator_nothing_is_called() throws SQLException {
        Bank bank = new Bank(false);
        ClaimKind<Order, String> kind = started(kind(shop.hapax, bank));
        shop.database.execute(
                "INSERT INTO hapax.rewind (found_by, missing_number, missing_at) VALUES ('shop', 7, now())");
        shop.database.execute(
                "INSERT INTO hapax.paused (kind, name, reason, paused_by) VALUES ('CONSUMER', '*', 'restored', 'shop')");
        // A process reads all pauses in one look: once it has seen a later one, it has seen this one.
        shop.hapax.control().pause(Control.Kind.SCOPE, "probe", "to see it seen", "anna");
        await().untilAsserted(() -> assertThatThrownBy(
                        () -> shop.hapax.once(Key.generate("probe")).run(tx -> {}))
                .isInstanceOf(dev.hapax.PausedException.class));
        Key key = newKey();
        shop.hapax.once(Shop.newKey()).run(tx -> kind.submit(tx, key, ORDER));
        await().during(Duration.ofMillis(300)).until(() -> bank.charges() == 0);
        assertThat(shop.hapax.history().accept("the bank was asked", "anna")).isTrue();
        assertThat(awaited(kind, key)).containsInstanceOf(Settled.class);
    }
}
