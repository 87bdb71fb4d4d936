package dev.hapax.testkit.catalog;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.VersionConflictException;
import dev.hapax.event.EventStream;
import dev.hapax.event.Projection;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.Operation;
import dev.hapax.testkit.proof.Scenario;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Events of one stream, each decided on the version before it, and a row made from each. */
final class EventScenarios {

    /** Nobody has appended between the decision and its event. */
    static final String DECIDED = "each event was decided on the version before it";

    private static final String STREAM = "account/1";
    private static final String EFFECT = "CREATE TABLE effect (nth bigserial, id text NOT NULL, amount int NOT NULL)";
    private static final int CONFLICTS_MAX = 20;

    private EventScenarios() {}

    static List<Scenario<?>> all() {
        return List.of(append(), decisions());
    }

    /** A process that decides, appends and projects. */
    static final class Account implements AutoCloseable {

        private final int number;
        private final Hapax hapax;
        private final EventStream stream;
        private final Projection rows;

        private Account(Node node) {
            this.number = node.number();
            this.hapax = OnceScenarios.open(node);
            this.stream = hapax.events(STREAM);
            this.rows = hapax.projection("rows")
                    .streams("account/")
                    .handle(
                            String.class,
                            (body, event, connection) -> OnceScenarios.effect(
                                    connection, event.operation().id()))
                    .open();
        }

        /** Decides on what is there, as often as somebody was faster. */
        private void decide(Key key) {
            long version = stream.version();
            for (int conflicts = 0; ; conflicts++) {
                try {
                    stream.append(key).expecting(version).events(key.id() + " on " + version);
                    return;
                } catch (VersionConflictException conflict) {
                    if (conflicts == CONFLICTS_MAX) {
                        throw conflict;
                    }
                    version = conflict.actual();
                }
            }
        }

        private void append(Operation operation) {
            decide(OnceScenarios.key(operation));
            rows.catchUp();
        }

        /** Each process makes a decision of its own, on a stream that is there. */
        private void decideAnew(Operation operation) {
            stream.append(Key.of("orders", "opened").at(operation.time()))
                    .expectingAny()
                    .events("opened on 0");
            decide(Key.of("orders", operation.id() + "/" + number).at(operation.time()));
        }

        @Override
        public void close() {
            hapax.close();
        }
    }

    private static Scenario<Account> scenario(String name) {
        return Scenario.of(name, Account::new)
                .tables(EFFECT)
                .background(account -> account.rows.catchUp())
                .invariant(
                        DECIDED,
                        connection -> findings(
                                connection,
                                "SELECT 'version ' || version || ' is ' || convert_from(body, 'UTF8') FROM hapax.event"
                                        + " WHERE CAST(split_part(convert_from(body, 'UTF8'), ' on ', 2) AS bigint) <> version - 1"))
                .invariant(
                        "a stream has all its versions",
                        connection -> findings(
                                connection,
                                "SELECT s.name || ' is at ' || s.version || ' with ' || count(e.version) || ' events' FROM hapax.event_stream s"
                                        + " LEFT JOIN hapax.event e ON e.stream = s.id GROUP BY s.id"
                                        + " HAVING count(e.version) <> s.version OR max(e.version) <> s.version"))
                .invariant(
                        "a projection has a row for each event that it has done, and for no other",
                        connection -> findings(
                                connection,
                                "SELECT e.key || ' at ' || e.position FROM hapax.event e CROSS JOIN hapax.projection p"
                                        + " WHERE (e.position <= p.low OR p.done @> e.position) <> EXISTS (SELECT FROM effect f WHERE f.id = e.key)"));
    }

    private static List<String> findings(Connection connection, String sql) throws SQLException {
        List<String> findings = new ArrayList<>();
        try (PreparedStatement select = connection.prepareStatement(sql);
                ResultSet row = select.executeQuery()) {
            while (row.next()) {
                findings.add(row.getString(1));
            }
        }
        return findings;
    }

    /** Each operation is one event, and one row. */
    static Scenario<Account> append() {
        return scenario("event-append")
                .operations(2, Account::append)
                .counts("event", "SELECT key, count(*) FROM hapax.event GROUP BY key")
                .counts("effect", "SELECT id, count(*) FROM effect GROUP BY id");
    }

    /** Processes that decide against each other. */
    static Scenario<Account> decisions() {
        return scenario("event-decisions").operations(1, Account::decideAnew);
    }
}
