package dev.hapax.claim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.claim.Bank.Trouble;
import dev.hapax.claim.ClaimResult.InDoubt;
import dev.hapax.claim.ClaimResult.Refused;
import dev.hapax.claim.ClaimResult.Settled;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TcpProxy;
import dev.hapax.testkit.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The database can't be reached: a kind refuses, or calls and keeps a journal. */
class ClaimOutageContractTest {

    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String SCOPE = "payments.charge";
    private static final Order ORDER = new Order("o-1", 3);

    @TempDir
    private Path folder;

    private final TestDatabase database = EmbeddedDatabase.shared().createDatabase();
    private final Bank bank = new Bank(true);
    private TcpProxy proxy;
    private HikariDataSource pool;
    private Hapax hapax;

    @BeforeEach
    void open() throws SQLException {
        Shop.prepare(database);
        proxy = TcpProxy.to(database.server().port());
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.jdbcUrl().replace(":" + database.server().port() + "/", ":" + proxy.port() + "/"));
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
        database.close();
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

    private void assertFolded(Key key, String ending, String folded) throws SQLException {
        assertThat(database.queryLong("SELECT count(*) FROM hapax.claim_outage WHERE key = '" + key.id()
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
            proxy.admit();
            await().until(() -> database.queryLong("SELECT count(*) FROM hapax.claim_outage") == 2);
            assertThat(kind.settle(done, ORDER, SOON)).isEqualTo(result);
            assertThat(kind.settle(declined, ORDER, SOON)).isEqualTo(new Refused<>(declined, "card declined"));
        }
        assertThat(bank.log()).hasSize(2);
        assertFolded(done, "SETTLED", "SETTLED");
        assertFolded(declined, "REFUSED", "REFUSED");
        assertThat(database.queryLong("SELECT count(*) FROM effect WHERE id = '" + done.id() + "'"))
                .isEqualTo(1);
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
}
