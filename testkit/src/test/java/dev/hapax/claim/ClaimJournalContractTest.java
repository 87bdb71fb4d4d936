package dev.hapax.claim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.claim.Bank.Trouble;
import dev.hapax.claim.ClaimResult.InDoubt;
import dev.hapax.claim.ClaimResult.Settled;
import dev.hapax.testkit.TcpProxy;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls that are made while the database can't be reached: interrupted, too long, and asked about. */
class ClaimJournalContractTest {

    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String SCOPE = "payments.charge";
    private static final Order ORDER = new Order("o-1", 3);

    @TempDir
    private Path folder;

    private final Bank bank = new Bank(true);
    private Shop shop;
    private TcpProxy proxy;
    private HikariDataSource pool;
    private Hapax hapax;

    @BeforeEach
    void open() {
        shop = Shop.open();
        int port = shop.database.server().port();
        proxy = TcpProxy.to(port);
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(shop.database.jdbcUrl().replace(":" + port + "/", ":" + proxy.port() + "/"));
        config.setMaximumPoolSize(4);
        config.setConnectionTimeout(250);
        pool = new HikariDataSource(config);
        hapax = Shop.builder(pool).attempts(1).open();
    }

    @AfterEach
    void close() {
        hapax.close();
        pool.close();
        proxy.close();
        shop.close();
    }

    private ClaimKindBuilder<Order, String> kind() {
        return hapax.claims(SCOPE, Order.class, String.class)
                .perform((order, call) -> bank.charge(call))
                .policy(CallPolicy.idempotent().backoff(Duration.ofMillis(1), Duration.ofMillis(20)))
                .settling((order, charge, tx) ->
                        Shop.effect(tx.connection(), tx.key().id()))
                .idle(Duration.ofMillis(20))
                .journalOutages(folder);
    }

    private void cut() {
        proxy.refuse();
        proxy.cutAll();
    }

    private void awaitFolded(int calls) {
        proxy.admit();
        await().atMost(SOON).until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.claim_outage") == calls);
    }

    @Test
    void an_interrupt_of_one_caller_leaves_the_journal_to_all_others() throws Exception {
        CountDownLatch called = new CountDownLatch(1);
        Key interrupted = Key.generate(SCOPE);
        Key early = Key.generate(SCOPE);
        Key other = Key.generate(SCOPE);
        try (ClaimKind<Order, String> kind = kind().perform((order, call) -> {
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
        try (ClaimKind<Order, String> kind = kind().policy(
                        CallPolicy.idempotent().callWithin(Duration.ofMillis(50)))
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
        try (ClaimKind<Order, String> kind =
                kind().probe((order, call) -> bank.find(call)).start()) {
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
