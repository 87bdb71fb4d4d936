package dev.hapax.claim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.claim.Bank.Trouble;
import dev.hapax.claim.ClaimResult.InDoubt;
import dev.hapax.claim.ClaimResult.Refused;
import dev.hapax.claim.ClaimResult.Settled;
import dev.hapax.claim.Claims.Claimed;
import dev.hapax.claim.Claims.Ruling;
import dev.hapax.claim.Claims.State;
import dev.hapax.spi.Metrics;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What operators see of operations in flight, say of them, and bring about. */
@Tag("slow")
class ClaimOperatorContractTest {

    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String SCOPE = "payments.charge";
    private static final Order ORDER = new Order("o-1", 3);
    private static final Ruling FOUND = Ruling.of("found in their portal", "anna");

    private final AtomicReference<DoubleSupplier> inDoubt = new AtomicReference<>(() -> -1);
    private final Bank bank = new Bank(false);
    private final Key key = Key.generate(SCOPE);
    private Shop shop;

    @BeforeEach
    void open() {
        shop = Shop.open(builder -> builder.metrics(new Metrics() {
            @Override
            public void claims(String scope, DoubleSupplier number, DoubleSupplier oldestSeconds) {
                inDoubt.set(number);
            }
        }));
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private Claim<String> claim() {
        return shop.hapax.claim(key).perform(bank::charge);
    }

    private ClaimKindBuilder<Order, String> kind(Hapax hapax) {
        return hapax.claims(SCOPE, Order.class, String.class)
                .perform((order, call) -> bank.charge(call))
                .idle(Duration.ofMillis(20));
    }

    /** A process calls and is gone, and its lease is over. */
    private void leaveCalled() throws SQLException {
        assertThatThrownBy(() -> shop.hapax
                        .claim(key)
                        .perform(call -> {
                            throw new AssertionError("gone");
                        })
                        .settleWithin(SOON))
                .hasMessage("gone");
        shop.database.execute("UPDATE hapax.claim SET due_at = clock_timestamp()");
    }

    private boolean says(String answer) {
        return shop.hapax.claims().settle(key, "string", answer.getBytes(StandardCharsets.UTF_8), FOUND);
    }

    @Test
    void an_answer_that_is_corrected_replaces_the_one_before() {
        bank.next(Trouble.REPLY_LOST);
        assertThat(claim().settleWithin(SOON)).isInstanceOf(InDoubt.class);
        assertThat(says("ch_7")).isTrue();
        assertThat(says("ch_77")).isTrue();
        assertThat(says("ch_77")).isFalse();
        assertThat(shop.hapax.claims().decisions(key)).hasSize(2);
        assertThat(claim().settleWithin(SOON)).isEqualTo(new Settled<>(key, Optional.of("ch_77")));
        assertThat(says("ch_77")).as("said when it was settled so").isFalse();
        assertThatThrownBy(() -> says("ch_7"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("settled already, otherwise than is said now");
    }

    @Test
    void what_a_process_has_called_that_is_gone_is_in_doubt() throws SQLException {
        leaveCalled();
        assertThat(shop.hapax.claims().list(EnumSet.of(State.IN_DOUBT), 10))
                .singleElement()
                .satisfies(claimed -> {
                    assertThat(claimed.state()).isEqualTo(State.IN_DOUBT);
                    assertThat(claimed.progress().doubtSince()).isPresent();
                    assertThat(claimed.progress().owner()).isEmpty();
                });
        assertThat(shop.hapax.claims().list(EnumSet.of(State.CLAIMED), 10)).isEmpty();
        // It is measured now and then.
        await().atMost(Duration.ofMinutes(2)).until(() -> inDoubt.get().getAsDouble() == 1);
    }

    @Test
    void nobody_is_said_to_take_up_what_is_not_stored() throws SQLException {
        leaveCalled();
        assertThatThrownBy(() -> shop.hapax.claims().probe(key))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not stored");
        assertThat(shop.hapax.claims().probe(Key.generate(SCOPE)))
                .as("not in flight")
                .isFalse();
    }

    @Test
    void what_is_stored_is_asked_about_before_its_time() {
        bank.next(Trouble.REPLY_LOST);
        try (ClaimKind<Order, String> kind = kind(shop.hapax)
                .probe((order, call) -> bank.find(call))
                .policy(CallPolicy.notIdempotent().backoff(Duration.ofHours(1), Duration.ofHours(1)))
                .start()) {
            assertThat(kind.settle(key, ORDER, SOON)).isInstanceOf(InDoubt.class);
            assertThat(shop.hapax.claims().find(key).flatMap(Claimed::overdue))
                    .hasValueSatisfying(overdue -> assertThat(overdue).isNegative());
            assertThat(shop.hapax.claims().probe(key)).isTrue();
            await().until(() ->
                    kind.find(key).filter(result -> result instanceof Settled).isPresent());
        }
        assertThat(bank.log()).containsExactly("call 1", "question");
    }

    @Test
    void a_caller_without_the_request_leaves_what_is_stored_to_the_workers() {
        bank.next(Trouble.UNREACHABLE);
        try (Hapax other = Shop.builder(shop.pool).open()) {
            // A process that knows the kind, and is not running it yet.
            ClaimKind<Order, String> closed = kind(other).start();
            closed.close();
            shop.hapax.once(Shop.newKey()).run(tx -> closed.submit(tx, key, ORDER));
        }
        assertThatThrownBy(() -> claim().policy(CallPolicy.notIdempotent()
                                .didNotHappen(failure -> failure instanceof ConnectException)
                                .attempts(1))
                        .settleWithin(SOON))
                .isInstanceOf(dev.hapax.InProgressException.class)
                .isNotInstanceOf(RetryException.class);
        assertThat(bank.charges()).isZero();
        try (ClaimKind<Order, String> kind = kind(shop.hapax).start()) {
            await().until(() ->
                    kind.find(key).filter(result -> result instanceof Settled).isPresent());
        }
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void for_how_long_it_is_tried_is_told_by_the_databases_clock() throws SQLException {
        bank.next(Trouble.UNREACHABLE);
        // Its clock is three hours ahead, but for what it writes by itself: when a claim was made.
        shop.database.execute("CREATE SCHEMA late");
        for (String clock : new String[] {"clock_timestamp", "statement_timestamp"}) {
            shop.database.execute("CREATE FUNCTION late." + clock
                    + "() RETURNS timestamptz LANGUAGE sql AS 'SELECT pg_catalog." + clock
                    + "() + interval ''3 hours'''");
        }
        shop.database.execute("ALTER DATABASE " + shop.database.name() + " SET search_path = late, pg_catalog, public");
        try (Hapax hapax = Shop.builder(shop.database.pooled(6)).open();
                ClaimKind<Order, String> kind = kind(hapax)
                        .policy(CallPolicy.notIdempotent()
                                .didNotHappen(failure -> failure instanceof ConnectException)
                                .backoff(Duration.ofMillis(1), Duration.ofMillis(1)))
                        .giveUpAfter(Duration.ofHours(1))
                        .start()) {
            hapax.once(Shop.newKey()).run(tx -> kind.submit(tx, key, ORDER));
            await().until(() -> kind.find(key).isPresent());
            assertThat(kind.find(key))
                    .hasValueSatisfying(result ->
                            assertThat(((Refused<String>) result).reason()).startsWith("given up after PT1H"));
        }
    }
}
