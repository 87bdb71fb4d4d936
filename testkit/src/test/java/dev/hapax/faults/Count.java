package dev.hapax.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What must hold, counted in the rows of the target. Each question is one statement, so it sees one moment. */
final class Count {

    private final TestDatabase database;

    private Count(TestDatabase database) {
        this.database = database;
    }

    static Count in(TestDatabase database) {
        return new Count(database);
    }

    /** What holds at each moment, also while things fail. */
    void holdsNow() throws SQLException {
        assertThat(number("SELECT count(*) FROM (SELECT id FROM effect GROUP BY id HAVING count(*) > 1) twice"))
                .as("operations that took effect twice")
                .isZero();
        assertThat(number("SELECT count(*) FROM (SELECT id FROM billed GROUP BY id HAVING count(*) > 1) twice"))
                .as("messages that took effect twice")
                .isZero();
        assertThat(number("SELECT (SELECT count(*) FROM effect) - (SELECT sum(effects) FROM counted)"))
                .as("rows without their increment")
                .isZero();
        assertThat(number(
                        "SELECT count(*) FROM effect e FULL JOIN (SELECT key FROM hapax.marker WHERE scope = 'orders') m"
                                + " ON m.key = e.id WHERE m.key IS NULL OR e.id IS NULL"))
                .as("effects without marker, or markers without effect")
                .isZero();
        assertThat(number("SELECT count(*) FROM hapax.log g JOIN hapax.position p ON p.lane = g.lane AND p.consumer = '"
                        + Traffic.CONSUMER + "' WHERE (g.number <= p.low OR p.done @> g.number)"
                        + " AND NOT EXISTS (SELECT FROM billed b WHERE b.id = g.message_key)"))
                .as("messages that the position has passed without their effect")
                .isZero();
    }

    /** What holds when all is quiet again. */
    void holdsInTheEnd(List<Integer> acknowledged) throws SQLException {
        holdsNow();
        Set<String> effects = texts("SELECT id FROM effect");
        List<String> lost = acknowledged.stream()
                .map(number -> Traffic.key(number).id())
                .filter(id -> !effects.contains(id))
                .toList();
        assertThat(lost).as("acknowledged operations without effect").isEmpty();
        assertThat(texts("SELECT id FROM billed"))
                .as("messages with effect")
                .containsExactlyInAnyOrderElementsOf(effects);
        assertThat(number("SELECT count(*) FROM hapax.held"))
                .as("held messages")
                .isZero();
    }

    long number(String sql) throws SQLException {
        return database.queryLong(sql);
    }

    private Set<String> texts(String sql) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            Set<String> texts = new HashSet<>();
            while (row.next()) {
                texts.add(row.getString(1));
            }
            return texts;
        }
    }
}
