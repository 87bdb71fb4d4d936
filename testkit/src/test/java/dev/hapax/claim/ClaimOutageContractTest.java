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
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The database can't be reached: a kind refuses, or calls and keeps a journal, interrupted, in time, and asking first. */
class ClaimOutageContractTest extends ProxiedStage {

    private static final String SCOPE = "payments.charge";
    private static final Order ORDER = new Order("o-1", 3);

    @TempDir
    private Path folder;

    private final Bank bank = new Bank(true);

    ClaimOutageContractTest() {
        super(1);
    }

    @BeforeEach
    void loseNoTime() {
        pool.setConnectionTimeout(250);
    }

    private ClaimKindBuilder<Order, String> kind() {
        return hapax.claims(SCOPE, Order.class, String.class)
                .perform((order, call) -> bank.charge(call))
                .policy(CallPolicy.idempotent().backoff(Duration.ofMillis(1), Duration.ofMillis(20)))
                .settling((order, charge, tx) ->
                        Shop.effect(tx.connection(), tx.key().id()))
                .idle(Duration.ofMillis(20));
    }

    private ClaimKind<Order, String> journaled() {
        return kind().journalOutages(folder).start();
    }

    private void cut() {
        proxy.refuse();
        proxy.cutAll();
    }

    private void awaitFolded(int calls) {
        proxy.admit();
        await().atMost(SOON).until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.claim_outage") == calls);
    }

    private void assertFolded(Key key, String ending, String folded) throws SQLException {
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.claim_outage WHERE key = '" + key.id()
                        + "' AND ending = '" + ending + "' AND folded = '" + folded + "'"))
                .isEqualTo(1);
    }

    @Test
    void without_a_journal_nobody_is_called() {
        try (ClaimKind<Order, String> kind = kind().start()) {
            cut();
            assertThatThrownBy(() -> kind.settle(Key.generate(SCOPE), ORDER, SOON))
                    .isInstanceOf(RetryException.class);
            assertThat(bank.log()).isEmpty();
        }
    }

    @Test
    void with_a_journal_it_calls_once_and_tells_the_database_when_that_is_back() throws SQLException {
        Key done = Key.generate(SCOPE);
        Key declined = Key.generate(SCOPE);
        try (ClaimKind<Order, String> kind = journaled()) {
            cut();
            ClaimResult<String> result = kind.settle(done, ORDER, SOON);
            assertThat(result).isInstanceOf(Settled.class);
            assertThat(kind.settle(done, ORDER, SOON)).isEqualTo(result);
            bank.next(Trouble.DECLINES);
            assertThat(kind.settle(declined, ORDER, SOON)).isEqualTo(new Refused<>(declined, "card declined"));
            assertThat(bank.log()).hasSize(2);
            awaitFolded(2);
            assertThat(kind.settle(done, ORDER, SOON)).isEqualTo(result);
            assertThat(kind.settle(declined, ORDER, SOON)).isEqualTo(new Refused<>(declined, "card declined"));
        }
        assertThat(bank.log()).hasSize(2);
        assertFolded(done, "SETTLED", "SETTLED");
        assertFolded(declined, "REFUSED", "REFUSED");
        assertThat(shop.effects(done)).isEqualTo(1);
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void what_a_dead_process_left_in_its_journal_is_asked_about_by_the_next_one() throws Exception {
        Key key = Key.generate(SCOPE);
        bank.next(Trouble.REPLY_LOST);
        try (ClaimKind<Order, String> kind = journaled()) {
            cut();
            assertThat(kind.settle(key, ORDER, SOON)).isInstanceOf(InDoubt.class);
        }
        // Half a record, as a crash leaves it.
        Path journal = folder.resolve("claims-" + SCOPE + ".journal");
        byte[] whole = Files.readAllBytes(journal);
        byte[] torn = java.util.Arrays.copyOf(whole, whole.length + 11);
        torn[whole.length + 3] = 60;
        Files.write(journal, torn);
        proxy.admit();
        try (ClaimKind<Order, String> kind = journaled()) {
            // The pool finds the database again in its own time.
            await().ignoreException(RetryException.class)
                    .until(() ->
                            kind.find(key).filter(r -> r instanceof Settled).isPresent());
        }
        assertFolded(key, "UNKNOWN", "IN_DOUBT");
        assertThat(bank.charges()).isEqualTo(1);
        assertThat(Files.size(journal)).isZero();
    }

    @Test
    void a_journal_belongs_to_one_process_and_needs_a_system_that_honours_the_key() {
        try (ClaimKind<Order, String> kind = journaled();
                Hapax other = Shop.builder(pool).open()) {
            assertThat(kind.scope()).isEqualTo(SCOPE);
            assertThatThrownBy(() -> other.claims(SCOPE, Order.class, String.class)
                            .perform((order, call) -> "done")
                            .policy(CallPolicy.idempotent())
                            .journalOutages(folder)
                            .start())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("in use by another process");
        }
        assertThatThrownBy(() -> kind().policy(CallPolicy.notIdempotent())
                        .journalOutages(folder)
                        .start())
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void an_interrupt_of_one_caller_leaves_the_journal_to_all_others() throws Exception {
        CountDownLatch called = new CountDownLatch(1);
        Key interrupted = Key.generate(SCOPE);
        Key early = Key.generate(SCOPE);
        Key other = Key.generate(SCOPE);
        try (ClaimKind<Order, String> kind = kind().journalOutages(folder)
                .perform((order, call) -> {
                    if (order.quantity() == 1) {
                        called.countDown();
                        new CountDownLatch(1).await();
                    }
                    return bank.charge(call);
                })
                .start()) {
            cut();
            CountDownLatch told = new CountDownLatch(1);
            Thread caller = Thread.ofPlatform().start(() -> {
                assertThat(kind.settle(interrupted, new Order("o-1", 1), SOON)).isInstanceOf(InDoubt.class);
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
                // It comes again as it is.
                assertThat(kind.settle(early, ORDER, SOON)).isInstanceOf(Settled.class);
                told.countDown();
            });
            called.await();
            caller.interrupt();
            caller.join();
            assertThat(told.getCount()).isZero();
            assertThat(kind.settle(other, ORDER, SOON)).isInstanceOf(Settled.class);
            awaitFolded(3);
            assertThat(shop.effects(early)).isEqualTo(1);
            assertThat(shop.effects(other)).isEqualTo(1);
        }
    }

    @Test
    void a_call_ends_in_time() throws SQLException {
        try (ClaimKind<Order, String> kind = kind().journalOutages(folder)
                .policy(CallPolicy.idempotent().callWithin(Duration.ofMillis(50)))
                .perform((order, call) -> {
                    new CountDownLatch(1).await();
                    return "never";
                })
                .start()) {
            cut();
            assertThat(kind.settle(Key.generate(SCOPE), ORDER, SOON))
                    .isInstanceOfSatisfying(
                            InDoubt.class,
                            doubt -> assertThat(doubt.lastError()).startsWith("interrupted after PT0.05S"));
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
    }

    @Test
    void a_lost_answer_is_asked_for_before_any_second_call() {
        Key key = Key.generate(SCOPE);
        bank.next(Trouble.REPLY_LOST);
        try (ClaimKind<Order, String> kind = kind().journalOutages(folder)
                .probe((order, call) -> bank.find(call))
                .start()) {
            cut();
            assertThat(kind.settle(key, ORDER, SOON)).isInstanceOf(InDoubt.class);
            ClaimResult<String> result = kind.settle(key, ORDER, SOON);
            assertThat(result).isInstanceOf(Settled.class);
            assertThat(kind.settle(key, ORDER, SOON)).isEqualTo(result);
            awaitFolded(1);
        }
        assertThat(bank.log()).containsExactly("call 1", "question");
    }
}
