package dev.hapax.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.DamagedException;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.Shop;
import dev.hapax.StoreException;
import dev.hapax.once.Verdict;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.transaction.xa.XAException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two real databases; effects and prepared transactions are counted in both. */
@Tag("slow")
class TwoPhaseContractTest {

    private static final Duration LONG = Duration.ofSeconds(30);

    private TestDatabase ledger;
    private Shop shop;

    /** What the branch is told at a moment of the test's choice. */
    private final AtomicReference<Fault> onCommit = new AtomicReference<>(() -> {});

    @FunctionalInterface
    private interface Fault {
        void strike() throws XAException;
    }

    @BeforeEach
    void open() throws SQLException {
        ledger = EmbeddedDatabase.shared().createDatabase();
        ledger.execute("CREATE TABLE effect (id text NOT NULL, amount int NOT NULL)");
        shop = Shop.open(builder -> builder.participant(
                "ledger",
                new FaultyParticipant(
                        Participant.of(ledger.xaDataSource()),
                        () -> onCommit.get().strike())));
    }

    @AfterEach
    void close() {
        shop.close();
        ledger.close();
    }

    private Verdict apply(Hapax hapax, Key key) throws SQLException {
        return hapax.twoPhase(key).with("ledger").run((tx, branches) -> {
            Shop.effect(tx.connection(), key.id());
            Shop.effect(branches.connection("ledger"), key.id());
        });
    }

    private long inLedger(Key key) throws SQLException {
        return ledger.queryLong("SELECT count(*) FROM effect WHERE id = '" + key.id() + "'");
    }

    private long prepared() throws SQLException {
        return ledger.queryLong("SELECT count(*) FROM pg_prepared_xacts WHERE database IN ('" + ledger.name() + "', '"
                + shop.database.name() + "')");
    }

    @Test
    void both_databases_have_the_effect_and_a_repeat_changes_nothing() throws Exception {
        Key key = Shop.newKey();
        assertThat(apply(shop.hapax, key)).isEqualTo(Verdict.APPLIED);
        assertThat(apply(shop.hapax, key)).isEqualTo(Verdict.REPLAYED);
        assertThat(shop.hapax.once(key).run(tx -> Shop.effect(tx.connection(), key.id())))
                .isEqualTo(Verdict.REPLAYED);
        assertThat(shop.effects(key)).isEqualTo(1);
        assertThat(inLedger(key)).isEqualTo(1);
        assertThat(prepared()).isZero();
    }

    @Test
    void an_effect_that_throws_leaves_nothing_in_either_database() throws Exception {
        Key key = Shop.newKey();
        assertThatThrownBy(() -> shop.hapax.twoPhase(key).with("ledger").run((tx, branches) -> {
                    Shop.effect(tx.connection(), key.id());
                    Shop.effect(branches.connection("ledger"), key.id());
                    throw new IllegalArgumentException("no stock");
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no stock");
        assertThat(shop.effects(key)).isZero();
        assertThat(inLedger(key)).isZero();
        assertThat(apply(shop.hapax, key)).isEqualTo(Verdict.APPLIED);
        assertThat(inLedger(key)).isEqualTo(1);
    }

    @Test
    void a_home_commit_that_fails_rolls_the_prepared_branch_back() throws Exception {
        shop.database.execute("CREATE TABLE parent (id text PRIMARY KEY);"
                + "CREATE TABLE child (parent text REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
        Key key = Shop.newKey();
        assertThatThrownBy(() -> shop.hapax.twoPhase(key).with("ledger").run((tx, branches) -> {
                    Shop.effect(branches.connection("ledger"), key.id());
                    try (var insert = tx.connection().createStatement()) {
                        insert.execute("INSERT INTO child VALUES ('nobody')");
                    }
                }))
                .isInstanceOf(StoreException.class);
        assertThat(prepared()).isZero();
        assertThat(inLedger(key)).isZero();
    }

    @Test
    void another_request_under_the_same_key_is_refused() throws Exception {
        Key key = Shop.newKey();
        shop.hapax.twoPhase(key).with("ledger").matching("one").run((tx, branches) -> {});
        assertThatThrownBy(() ->
                        shop.hapax.twoPhase(key).with("ledger").matching("two").run((tx, branches) -> {}))
                .isInstanceOf(KeyReusedException.class);
    }

    @Test
    void ending_a_branch_by_hand_is_refused() {
        Key key = Shop.newKey();
        assertThatThrownBy(() -> shop.hapax
                        .twoPhase(key)
                        .with("ledger")
                        .run((tx, branches) -> branches.connection("ledger").commit()))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> shop.hapax.twoPhase(key).with("archive"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("there is no participant named archive");
    }

    @Test
    void a_branch_whose_commit_did_not_get_through_is_committed_by_recovery_in_the_background() throws Exception {
        AtomicInteger strikes = new AtomicInteger();
        onCommit.set(() -> {
            if (strikes.getAndIncrement() == 0) {
                throw new XAException(XAException.XAER_RMFAIL);
            }
        });
        Key key = Shop.newKey();
        assertThat(apply(shop.hapax, key)).isEqualTo(Verdict.APPLIED);
        await().atMost(LONG).until(() -> inLedger(key) == 1);
        await().atMost(LONG).until(() -> shop.hapax.participants().list().isEmpty());
        assertThat(prepared()).isZero();
    }

    @Test
    void recovery_leaves_a_branch_alone_while_its_owner_lives() throws Exception {
        Key key = Shop.newKey();
        CountDownLatch prepared = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        // The home commit waits at a deferred trigger's lock, with the branch prepared.
        shop.database.execute("CREATE TABLE gate (id int PRIMARY KEY); INSERT INTO gate VALUES (1);"
                + "CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS"
                + " $$ BEGIN PERFORM FROM gate FOR UPDATE; RETURN NULL; END $$;"
                + "CREATE CONSTRAINT TRIGGER pass AFTER INSERT ON effect DEFERRABLE INITIALLY DEFERRED"
                + " FOR EACH ROW EXECUTE FUNCTION pass()");
        var holder = Shop.async(() -> {
            try (var connection = shop.database.dataSource().getConnection();
                    var statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                statement.execute("SELECT FROM gate FOR UPDATE");
                prepared.countDown();
                go.await(30, TimeUnit.SECONDS);
                connection.commit();
                return true;
            }
        });
        prepared.await();
        var owner = Shop.async(() -> apply(shop.hapax, key));
        await().atMost(LONG).until(() -> prepared() == 1);
        assertThat(shop.hapax.participants().recover()).isZero();
        assertThat(prepared()).isEqualTo(1);
        go.countDown();
        assertThat(holder.get()).isTrue();
        assertThat(owner.get()).isEqualTo(Verdict.APPLIED);
        await().atMost(LONG).until(() -> inLedger(key) == 1);
        assertThat(prepared()).isZero();
    }

    @Test
    void a_participant_that_can_not_prepare_is_refused_when_the_service_is_opened_with_the_setting_named() {
        try (EmbeddedDatabase server = EmbeddedDatabase.builder()
                .inMemory()
                .setting("max_prepared_transactions", "0")
                .start()) {
            assertThatThrownBy(() -> Shop.builder(shop.pool)
                            .participant("ledger", server.database().xaDataSource())
                            .open())
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("set max_prepared_transactions");
        }
    }

    @Test
    void a_heuristic_outcome_is_reported_and_kept_until_a_person_closes_it() throws Exception {
        onCommit.set(() -> {
            throw new XAException(XAException.XA_HEURRB);
        });
        Key key = Shop.newKey();
        assertThatThrownBy(() -> apply(shop.hapax, key)).isInstanceOf(DamagedException.class);
        assertThat(apply(shop.hapax, key)).isEqualTo(Verdict.REPLAYED);
        shop.hapax.participants().recover();
        var branches = shop.hapax.participants().list();
        assertThat(branches).hasSize(1);
        var branch = branches.getFirst();
        assertThat(branch.state()).isEqualTo(Participants.State.HEURISTIC);
        assertThat(branch.outcome()).contains("ROLLED_BACK");
        assertThat(branch.key()).contains(key.id());
        assertThat(shop.hapax.participants().close(branch.token(), "ledger", "booked by hand", "anna"))
                .isTrue();
        assertThat(shop.hapax.participants().close(branch.token(), "ledger", "again", "anna"))
                .isFalse();
        assertThat(shop.hapax.participants().list()).isEmpty();
        assertThat(shop.database.queryLong(
                        "SELECT count(*) FROM hapax.two_phase_branch WHERE state = 'CLOSED' AND closed_by = 'anna'"))
                .isEqualTo(1);
        // The real resource never heard of it: the test ends what it holds.
        String gid = "SELECT gid FROM pg_prepared_xacts WHERE database = '" + ledger.name() + "'";
        try (var connection = ledger.dataSource().getConnection();
                var statement = connection.createStatement()) {
            String left;
            try (var row = statement.executeQuery(gid)) {
                row.next();
                left = row.getString(1);
            }
            statement.execute("ROLLBACK PREPARED '" + left + "'");
        }
    }

    @Test
    void a_branch_of_a_day_whose_decisions_were_dropped_is_left_to_a_person() throws Exception {
        onCommit.set(() -> {
            throw new XAException(XAException.XAER_RMFAIL);
        });
        Key key = Shop.newKey();
        try (Hapax other = Shop.builder(shop.pool)
                .housekeeping(false)
                .participant("ledger", new FaultyParticipant(Participant.of(ledger.xaDataSource()), () -> {
                    throw new XAException(XAException.XAER_RMFAIL);
                }))
                .open()) {
            apply(other, key);
        }
        // Ten days later, as far as the tree knows.
        String leaf = "two_phase_' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDD')";
        shop.database.execute("DO $$ BEGIN EXECUTE 'DROP TABLE hapax." + leaf + "; END $$;"
                + "UPDATE hapax.tree SET dropped_before = current_date + 10 WHERE name = 'two_phase'");
        onCommit.set(() -> {});
        try (Hapax later = Shop.builder(shop.pool)
                .housekeeping(false)
                .participant("archive", new FaultyParticipant(Participant.of(ledger.xaDataSource()), () -> {}))
                .participant("ledger", Participant.of(ledger.xaDataSource()))
                .open()) {
            assertThat(later.participants().recover()).isZero();
            assertThat(later.participants().list())
                    .extracting(Participants.Branch::state)
                    .containsOnly(Participants.State.UNKNOWN);
            // It is told once, and then lies there.
            var noted = later.participants().list();
            later.participants().recover();
            assertThat(later.participants().list()).isEqualTo(noted);
            assertThat(prepared()).isEqualTo(1);
        }
        try (var connection = ledger.dataSource().getConnection();
                var statement = connection.createStatement()) {
            String left;
            try (var row = statement.executeQuery(
                    "SELECT gid FROM pg_prepared_xacts WHERE database = '" + ledger.name() + "'")) {
                row.next();
                left = row.getString(1);
            }
            statement.execute("ROLLBACK PREPARED '" + left + "'");
        }
    }
}
