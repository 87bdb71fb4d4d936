package dev.hapax.kafka;

import dev.hapax.Key;
import dev.hapax.testkit.proof.Operation;
import dev.hapax.testkit.proof.Scenario;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** A relay and a consumer, as programs that die at every point. */
final class KafkaScenarios {

    private static final String HANDLED =
            "CREATE TABLE handled (nth bigserial, topic text NOT NULL, partition int NOT NULL, number bigint NOT NULL,"
                    + " message_key text NOT NULL, body text NOT NULL)";
    private static final String COUNT = "SELECT body, count(*) FROM handled GROUP BY body";

    /** Messages that the relay has not published, as far as the database knows; it never knows of more than are. */
    private static final String UNPUBLISHED = "SELECT count(*) FROM hapax.log g WHERE g.topic = '" + RelayFixture.PLACED
            + "' AND NOT EXISTS (SELECT FROM hapax.position p WHERE p.consumer = '" + ProofProcess.RELAY
            + "' AND p.lane = g.lane AND (g.number <= p.low OR g.number <@ p.done))";

    private static final String OUT_OF_ORDER =
            "SELECT body FROM (SELECT body, number < lag(number) OVER (PARTITION BY partition, message_key ORDER BY nth) AS back"
                    + " FROM handled) o WHERE back";

    private KafkaScenarios() {}

    private static List<String> outOfOrder(Connection connection) throws SQLException {
        List<String> wrong = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(OUT_OF_ORDER)) {
            while (row.next()) {
                wrong.add(row.getString(1) + " took effect behind a later one of its key");
            }
        }
        return wrong;
    }

    private static Key key(Operation operation) {
        return Key.of("orders", operation.id()).at(operation.time());
    }

    private static Scenario<ProofProcess> scenario(String name) {
        return Scenario.of(name, ProofProcess::new).tables(HANDLED).outside(ProofTopic.class, ProofTopic::new);
    }

    /** Two messages of a key go from the log to the topic. */
    static Scenario<ProofProcess> relay() {
        return scenario("kafka-relay")
                .operations(
                        2,
                        (process, operation) -> process.hapax
                                .once(key(operation))
                                .run(tx -> tx.publish(RelayFixture.PLACED, "key", operation.id())))
                .background(ProofProcess::relay)
                .unfinished(UNPUBLISHED)
                .counts("the topic", ProofTopic.class, ProofTopic::published)
                .invariant("order per key on the topic", ProofTopic.class, ProofTopic::outOfOrder);
    }

    /** Two records of a key take effect; nothing but the position tells what was done. */
    static Scenario<ProofProcess> consumer() {
        return scenario("kafka-consumer")
                // A broker gives up on members that it does not hear of.
                .leasesRunOutBy(ProofTopic.class, ProofTopic::forgetMembers)
                .operations(2, (process, operation) -> process.topic.put("key", operation.id()))
                .background(ProofProcess::consume)
                .unfinished("SELECT 2 - count(DISTINCT body) FROM handled")
                .counts("handled", COUNT)
                .invariant("order per key", KafkaScenarios::outOfOrder);
    }
}
