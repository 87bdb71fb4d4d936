package dev.hapax.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.once.Verdict;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.Invariants;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.Operation;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import javax.transaction.xa.XAException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every point of a commit over PostgreSQL and MariaDB; rows and prepared transactions are counted in both after each. */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class MariaDbTwoPhaseCrashTest {

    private static final String LEDGER = "ledger";
    private static final Duration DETACHED_WITHIN = Duration.ofSeconds(5);

    private static MariaDb maria;

    @BeforeAll
    static void start() throws Exception {
        maria = MariaDb.start();
    }

    @AfterAll
    static void stop() throws Exception {
        maria.close();
    }

    private static Scenario<Process> scenario(UnaryOperator<Participant> wrong) {
        return Scenario.of("two-phase-mariadb", node -> new Process(node, wrong))
                .tables("CREATE TABLE effect (nth bigserial, id text NOT NULL, amount int)")
                .beforeEach(MariaDbTwoPhaseCrashTest::clear)
                .operations(1, Process::apply)
                .background(Process::recover)
                .counts("effect", "SELECT id, count(*) FROM effect GROUP BY id")
                .counts("the ledger's effect", home -> inLedger(ledger(home)))
                .invariant("no branch is left prepared", MariaDbTwoPhaseCrashTest::orphans);
    }

    /** A process, with its home. */
    private static final class Process implements AutoCloseable {

        private final Hapax hapax;
        private final String home;

        private Process(Node node, UnaryOperator<Participant> wrong) throws SQLException {
            try (Connection connection = node.dataSource().getConnection()) {
                this.home = home(connection);
                this.hapax = Hapax.on(node.dataSource())
                        .name("shop")
                        .housekeeping(false)
                        .attempts(3)
                        .participant(
                                LEDGER, wrong.apply(node.participant(Participant.of(maria.source(ledger(connection))))))
                        .open();
            }
        }

        private void apply(Operation operation) throws SQLException {
            hapax.participants().recover();
            Key key = Key.of("orders", operation.id()).at(operation.time());
            hapax.twoPhase(key).with(LEDGER).run((tx, branches) -> {
                Shop.effect(tx.connection(), operation.id());
                Shop.effect(branches.connection(LEDGER), operation.id());
            });
        }

        /** MariaDB lets nobody end a branch until it has noticed that the session that prepared it is gone. */
        private void recover() {
            await().atMost(DETACHED_WITHIN).until(() -> {
                hapax.participants().recover();
                return preparedOf(home) == 0;
            });
        }

        @Override
        public void close() {
            hapax.close();
        }
    }

    private static long preparedOf(String home) throws SQLException {
        return maria.prepared().stream().filter(name -> isOf(name, home)).count();
    }

    private static boolean isOf(String name, String home) {
        return name.toLowerCase(Locale.ROOT).contains(home);
    }

    /** As it stands in the names of its branches. */
    private static String home(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT replace(CAST(id AS text), '-', '') FROM hapax.home")) {
            row.next();
            return row.getString(1);
        }
    }

    /** Each database of the exploration has a ledger of its own. */
    private static String ledger(Connection connection) throws SQLException {
        return connection.getCatalog().replace('-', '_');
    }

    private static void clear(Connection connection) throws SQLException {
        String home = home(connection);
        for (String name : maria.prepared()) {
            if (isOf(name, home)) {
                maria.execute("", "XA ROLLBACK " + name);
            }
        }
        String ledger = ledger(connection);
        maria.execute("", "CREATE DATABASE IF NOT EXISTS " + ledger);
        maria.execute(
                ledger,
                "CREATE TABLE IF NOT EXISTS effect (id varchar(200) NOT NULL, amount int)",
                "DELETE FROM effect");
    }

    private static Map<String, Long> inLedger(String ledger) throws SQLException {
        try (Connection connection = maria.connect(ledger);
                PreparedStatement select = connection.prepareStatement("SELECT id, count(*) FROM effect GROUP BY id");
                ResultSet row = select.executeQuery()) {
            Map<String, Long> counted = new HashMap<>();
            while (row.next()) {
                counted.put(row.getString(1), row.getLong(2));
            }
            return counted;
        }
    }

    private static List<String> orphans(Connection connection) throws SQLException {
        long left = preparedOf(home(connection));
        return left == 0 ? List.of() : List.of(left + " are left prepared in MariaDB");
    }

    private static CrashPoints points() {
        return new CrashPoints(EmbeddedDatabase.shared()).withoutLikes();
    }

    @Test
    void both_databases_have_each_effect_once_and_no_branch_is_left_after_every_crash_point() {
        ProofReport report = points().variations(Set.of(Variation.REPEATED, Variation.OTHER_KEYS), 8)
                .pairs(16)
                .explore(scenario(UnaryOperator.identity()));
        assertThat(report.isProven()).as(report.describe("")).isTrue();
        assertThat(report.points()).isGreaterThan(6);
    }

    @Test
    void branches_that_are_committed_before_the_home_are_caught() {
        ProofReport report = points().untilFirstViolation().explore(scenario(real -> new EagerParticipant(real)));
        assertThat(report.violations())
                .anySatisfy(violation -> assertThat(violation.invariant()).isEqualTo(Invariants.AT_MOST_ONCE));
    }

    @Test
    void a_repeat_changes_nothing_and_a_branch_whose_commit_was_lost_is_committed_by_recovery() throws Exception {
        maria.execute("", "CREATE DATABASE shop", "CREATE TABLE shop.effect (id varchar(200) NOT NULL, amount int)");
        Participant real = Participant.of(maria.source("shop"));
        AtomicReference<FaultyParticipant.Fault> onCommit = new AtomicReference<>(() -> {});
        try (Shop shop = Shop.open(builder -> builder.housekeeping(false)
                .participant(
                        LEDGER, new FaultyParticipant(real, () -> onCommit.get().strike())))) {
            Key key = Shop.newKey();
            assertThat(apply(shop, key)).isEqualTo(Verdict.APPLIED);
            assertThat(apply(shop, key)).isEqualTo(Verdict.REPLAYED);
            assertThat(inLedger("shop")).containsEntry(key.id(), 1L);

            onCommit.set(() -> {
                throw new XAException(XAException.XAER_RMFAIL);
            });
            Key lost = Shop.newKey();
            assertThat(apply(shop, lost)).isEqualTo(Verdict.APPLIED);
            assertThat(inLedger("shop")).doesNotContainKey(lost.id());
            onCommit.set(() -> {});
            await().atMost(DETACHED_WITHIN).until(() -> {
                shop.hapax.participants().recover();
                return inLedger("shop").containsKey(lost.id());
            });
            assertThat(inLedger("shop")).containsEntry(lost.id(), 1L);
        }
    }

    private static Verdict apply(Shop shop, Key key) throws SQLException {
        return shop.hapax.twoPhase(key).with(LEDGER).run((tx, branches) -> {
            Shop.effect(tx.connection(), key.id());
            Shop.effect(branches.connection(LEDGER), key.id());
        });
    }
}
