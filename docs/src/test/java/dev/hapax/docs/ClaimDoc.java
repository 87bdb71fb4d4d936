package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.failsafe.CircuitBreaker;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.ClaimKind;
import dev.hapax.claim.ClaimRefusedException;
import dev.hapax.claim.ClaimResult;
import dev.hapax.claim.Claims;
import dev.hapax.claim.Probe;
import dev.hapax.failsafe.FailsafeBreaker;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClaimDoc {

    private final Bank bank = new Bank();
    private final Ledger ledger = new Ledger();
    private ShopDatabase shop;
    private Hapax hapax;

    /** Another company's, as its client shows it. */
    static final class Bank {

        private final Map<String, String> charges = new HashMap<>();
        private boolean losesNextReply;

        synchronized String charge(String customer, BigDecimal amount, String key) throws IOException {
            if (amount.signum() < 0) {
                throw new ClaimRefusedException("a charge must not be negative");
            }
            String charge = charges.computeIfAbsent(key, k -> "ch_" + (charges.size() + 1));
            if (losesNextReply) {
                losesNextReply = false;
                throw new IOException("connection reset");
            }
            return charge;
        }

        synchronized Optional<String> find(String key) {
            return Optional.ofNullable(charges.get(key));
        }

        synchronized int charges() {
            return charges.size();
        }

        synchronized void loseNextReply() {
            losesNextReply = true;
        }
    }

    @BeforeEach
    void open() throws SQLException {
        shop = ShopDatabase.create();
        hapax = shop.service().open();
    }

    @AfterEach
    void close() {
        hapax.close();
        shop.close();
    }

    @Test
    void one_claim() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        bank.loseNextReply();
        // tag::claim[]
        ClaimResult<String> result = hapax.claim(Key.of("payments.charge", order.id()))
                .perform(call -> bank.charge(order.customer(), order.total(), call.idempotencyKey()))
                .probe(call -> bank.find(call.idempotencyKey()).map(Probe::done).orElse(Probe.notDone()))
                .settling((charge, tx) -> ledger.insert(tx.connection(), OrderPlaced.of(order)))
                .settleWithin(Duration.ofSeconds(30));
        // end::claim[]
        // tag::result[]
        String told = switch (result) {
            case ClaimResult.Settled<String> settled -> "charged: " + settled.value();
            case ClaimResult.Refused<String> refused -> "declined: " + refused.reason();
            case ClaimResult.InDoubt<String> doubt -> "nobody knows since " + doubt.since() + ": " + doubt.lastError();
        };
        // end::result[]
        assertThat(told).isEqualTo("charged: ch_1");
        assertThat(shop.ledger()).isEqualTo(1);
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void policies() {
        // tag::policy[]
        CallPolicy provider = CallPolicy.idempotent() // it honours the key
                .callWithin(Duration.ofSeconds(5))
                .backoff(Duration.ofMillis(200), Duration.ofMinutes(1))
                .didNotHappen(failure -> failure instanceof ConnectException)
                .breaker(FailsafeBreaker.of(CircuitBreaker.ofDefaults()));

        CallPolicy oldBank = CallPolicy.notIdempotent() // it can only be asked
                .arrivesWithin(Duration.ofMinutes(15)); // it books from a queue
        // end::policy[]
        assertThat(provider.isIdempotent()).isTrue();
        assertThat(oldBank.isIdempotent()).isFalse();
    }

    @Test
    void a_kind() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        Key key = Key.of("payments.charge", order.id());
        bank.loseNextReply();
        // tag::kind[]
        ClaimKind<Order, String> charges = hapax.claims("payments.charge", Order.class, String.class)
                .perform((o, call) -> bank.charge(o.customer(), o.total(), call.idempotencyKey()))
                .policy(CallPolicy.idempotent())
                .settling((o, charge, tx) -> ledger.insert(tx.connection(), OrderPlaced.of(o)))
                .concurrency(8)
                .rate(50)
                .start();
        // end::kind[]
        Orders orders = new Orders();
        // tag::submit[]
        hapax.once(Key.of("orders.place", order.id())).run(tx -> {
            orders.insert(tx.connection(), order);
            charges.submit(tx, key, order); // charged after this commit, whatever becomes of this process
        });
        // end::submit[]
        await().until(() -> shop.ledger() == 1);
        // tag::settle[]
        ClaimResult<String> result = charges.settle(key, order, Duration.ofSeconds(30)); // or wait for it
        // end::settle[]
        assertThat(result).isEqualTo(new ClaimResult.Settled<>(key, Optional.of("ch_1")));
        assertThat(bank.charges()).isEqualTo(1);
        charges.close();
    }

    @Test
    void what_a_person_decides() {
        Order order = ShopDatabase.newOrder("anna");
        Key key = Key.of("payments.charge", order.id());
        bank.loseNextReply();
        assertThat(hapax.claim(key)
                        .perform(call -> bank.charge(order.customer(), order.total(), call.idempotencyKey()))
                        .settleWithin(Duration.ofSeconds(30)))
                .isInstanceOf(ClaimResult.InDoubt.class);
        // tag::decide[]
        Claims claims = hapax.claims();
        for (Claims.Claimed doubt : claims.list(EnumSet.of(Claims.State.IN_DOUBT), 100)) {
            claims.settle(
                    doubt.key(),
                    "string",
                    "ch_1".getBytes(StandardCharsets.UTF_8),
                    Claims.Ruling.of("found in their portal, ticket 4711", "anna"));
        }
        // end::decide[]
        assertThat(hapax.claim(key).perform(call -> "called again").settleWithin(Duration.ofSeconds(30)))
                .isEqualTo(new ClaimResult.Settled<>(key, Optional.of("ch_1")));
    }
}
