package dev.hapax.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.jms.JmsParticipant;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.Invariants;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.Operation;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import jakarta.jms.JMSException;
import jakarta.jms.XASession;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import javax.transaction.xa.XAException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every point of a commit over PostgreSQL and a broker; rows, messages and prepared transactions are counted after each. */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class JmsTwoPhaseCrashTest {

    private static final String BROKER = "broker";
    private static final int NUMBER = 72;

    private static EmbeddedArtemis broker;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedArtemis.open(NUMBER);
    }

    @AfterAll
    static void stop() throws Exception {
        broker.close();
    }

    private static Scenario<Hapax> scenario(UnaryOperator<Participant> wrong) {
        return Scenario.of("two-phase-jms", node -> open(node, wrong))
                .tables("CREATE TABLE effect (nth bigserial, id text NOT NULL)")
                .beforeEach(JmsTwoPhaseCrashTest::clear)
                .operations(1, JmsTwoPhaseCrashTest::send)
                .background(hapax -> hapax.participants().recover())
                .counts("effect", "SELECT id, count(*) FROM effect GROUP BY id")
                .counts("message", JmsTwoPhaseCrashTest::messages)
                .invariant("no branch is left prepared", JmsTwoPhaseCrashTest::orphans);
    }

    private static Hapax open(Node node, UnaryOperator<Participant> wrong) {
        return Hapax.on(node.dataSource())
                .name("shop")
                .housekeeping(false)
                .attempts(3)
                .participant(BROKER, wrong.apply(node.participant(JmsParticipant.of(broker.factory()))))
                .open();
    }

    private static void send(Hapax hapax, Operation operation) throws Exception {
        hapax.participants().recover();
        Key key = Key.of("orders", operation.id()).at(operation.time());
        hapax.twoPhase(key).with(BROKER).run((tx, branches) -> {
            try (PreparedStatement insert = tx.connection().prepareStatement("INSERT INTO effect (id) VALUES (?)")) {
                insert.setString(1, operation.id());
                insert.executeUpdate();
            }
            EmbeddedArtemis.send(branches.handle(BROKER, XASession.class), queue(tx.connection()), operation.id());
        });
    }

    /** Each database of the exploration has a queue of its own. */
    private static String queue(Connection connection) throws SQLException {
        return connection.getCatalog();
    }

    private static UUID home(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT id FROM hapax.home")) {
            row.next();
            return row.getObject(1, UUID.class);
        }
    }

    private static void clear(Connection connection) throws Exception {
        broker.rollBackPrepared(home(connection));
        broker.purge(queue(connection));
    }

    private static Map<String, Long> messages(Connection connection) throws SQLException {
        try {
            Map<String, Long> counted = new HashMap<>();
            broker.messages(queue(connection)).forEach(id -> counted.merge(id, 1L, Long::sum));
            return counted;
        } catch (JMSException e) {
            throw new SQLException(e);
        }
    }

    private static List<String> orphans(Connection connection) throws SQLException {
        try {
            int left = broker.prepared(home(connection)).size();
            return left == 0 ? List.of() : List.of(left + " are left prepared in the broker");
        } catch (JMSException | XAException e) {
            throw new SQLException(e);
        }
    }

    private static CrashPoints points() {
        return new CrashPoints(EmbeddedDatabase.shared()).withoutLikes();
    }

    @Test
    void the_row_and_the_message_are_there_once_and_no_branch_is_left_after_every_crash_point() {
        ProofReport report = points().variations(Set.of(Variation.REPEATED, Variation.OTHER_KEYS), 8)
                .pairs(16)
                .explore(scenario(UnaryOperator.identity()));
        assertThat(report.isProven()).as(report.describe("")).isTrue();
        assertThat(report.points()).isGreaterThan(6);
    }

    @Test
    void a_message_that_is_sent_before_the_home_commits_is_caught() {
        ProofReport report = points().untilFirstViolation().explore(scenario(real -> new EagerParticipant(real)));
        assertThat(report.violations())
                .anySatisfy(violation -> assertThat(violation.invariant()).isEqualTo(Invariants.AT_MOST_ONCE));
    }
}
