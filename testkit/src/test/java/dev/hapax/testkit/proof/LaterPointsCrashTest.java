package dev.hapax.testkit.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is passed only after something went wrong is a point as well. */
@Tag("slow")
class LaterPointsCrashTest {

    private static final String MARKER = "INSERT INTO marker (id) VALUES (?) ON CONFLICT DO NOTHING";
    private static final String SECOND =
            "INSERT INTO effect (id, try) SELECT o.id, 2 FROM (SELECT CAST(? AS text) AS id) o";
    private static final String ROUND = "a round";
    private static final int PRIME = 37;
    private static final int ROUNDS = 101;
    private static final String SERIALIZATION_FAILURE = "40001";

    /** Writes marker and effect in one transaction; refused, it does so a second time, in its own way. */
    private record Service(DataSource source, boolean carefulWhenRefused) {

        void apply(Operation operation) throws SQLException {
            try (Connection connection = source.getConnection()) {
                connection.setAutoCommit(false);
                if (write(connection, MARKER, operation) == 1) {
                    write(connection, "INSERT INTO effect (id, try) VALUES (?, 1)", operation);
                }
                connection.commit();
            } catch (SQLException e) {
                if (!SERIALIZATION_FAILURE.equals(e.getSQLState())) {
                    throw e;
                }
                again(operation);
            }
        }

        /** The careless one looks, and commits the effect before its marker. */
        private void again(Operation operation) throws SQLException {
            try (Connection connection = source.getConnection()) {
                connection.setAutoCommit(!carefulWhenRefused);
                if (!carefulWhenRefused) {
                    write(connection, SECOND + " WHERE NOT EXISTS (SELECT FROM marker)", operation);
                    write(connection, MARKER, operation);
                } else {
                    if (write(connection, MARKER, operation) == 1) {
                        write(connection, SECOND, operation);
                    }
                    connection.commit();
                }
            }
        }

        private static int write(Connection connection, String sql, Operation operation) throws SQLException {
            try (PreparedStatement insert = connection.prepareStatement(sql)) {
                insert.setString(1, operation.id());
                return insert.executeUpdate();
            }
        }
    }

    private static Scenario<Service> scenario(boolean careful) {
        return Scenario.of("later", node -> new Service(node.dataSource(), careful))
                .tables("CREATE TABLE marker (id text PRIMARY KEY)", "CREATE TABLE effect (id text, try int)")
                .operations(1, Service::apply)
                .counts("effect", "SELECT id, count(*) FROM effect GROUP BY id");
    }

    /** A service that passes a place some times more or less with each start, as one does that waits for what time decides. */
    private static Scenario<Service> drifting(AtomicInteger starts) {
        return Scenario.of("drifting", node -> {
                    int rounds = starts.incrementAndGet() * PRIME % ROUNDS;
                    for (int round = 0; round < rounds; round++) {
                        node.point(ROUND);
                    }
                    return new Service(node.dataSource(), true);
                })
                .tables("CREATE TABLE marker (id text PRIMARY KEY)", "CREATE TABLE effect (id text, try int)")
                .operations(1, Service::apply)
                .counts("effect", "SELECT id, count(*) FROM effect GROUP BY id");
    }

    private static ProofReport explore(boolean careful) {
        return new CrashPoints(EmbeddedDatabase.shared()).explore(scenario(careful));
    }

    @Test
    void they_are_counted_and_exercised_in_every_mode() {
        ProofReport report = explore(true);
        assertThat(report.isProven()).as(report.describe("")).isTrue();
        // Before and after the statement that only a refused operation comes to; all else is passed by others as well.
        assertThat(report.coverage()).isEqualTo(new ProofReport.Coverage(report.points(), 2, report.points()));
    }

    @Test
    void a_point_is_found_by_what_is_done_there_where_its_number_is_another_with_each_run() {
        ProofReport report = new CrashPoints(EmbeddedDatabase.shared())
                .points(point -> !point.label().equals(ROUND))
                .explore(drifting(new AtomicInteger()));
        assertThat(report.isProven()).as(report.describe("")).isTrue();
        assertThat(report.points()).isPositive();
    }

    @Test
    void a_bug_that_takes_two_faults_is_found_without_drawing_pairs_and_always_in_the_same_run() {
        Set<String> found = new TreeSet<>();
        for (int i = 0; i < 2; i++) {
            ProofReport report = explore(false);
            assertThat(report.violations()).extracting(Violation::invariant).containsOnly(Invariants.AT_MOST_ONCE);
            assertThat(report.violations())
                    .extracting(one -> one.trial().faults())
                    .allMatch(faults -> faults.size() == 2);
            found.add(report.violations().stream()
                    .map(one -> one.trial().toString())
                    .sorted()
                    .toList()
                    .toString());
            Trial first = report.violations().getFirst().trial();
            assertThat(new CrashPoints(EmbeddedDatabase.shared())
                            .rerun(scenario(false), Trial.parse(first.toString()))
                            .violations())
                    .isNotEmpty();
        }
        assertThat(found).hasSize(1);
    }
}
