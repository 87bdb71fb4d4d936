package dev.hapax.kafka;

import dev.hapax.Key;
import dev.hapax.testkit.proof.Scenario;

/** A relay as a program that dies at every point. */
final class KafkaScenarios {

    /** Messages that the relay has not published, as far as the database knows; it never knows of more than are. */
    private static final String UNPUBLISHED = "SELECT count(*) FROM hapax.log g WHERE g.topic = '" + RelayFixture.PLACED
            + "' AND NOT EXISTS (SELECT FROM hapax.position p WHERE p.consumer = '" + ProofProcess.RELAY
            + "' AND p.lane = g.lane AND (g.number <= p.low OR g.number <@ p.done))";

    private KafkaScenarios() {}

    /** Three messages of two keys go from the log to the topic. */
    static Scenario<ProofProcess> relay() {
        return Scenario.of("kafka-relay", ProofProcess::new)
                .outside(ProofTopic.class, ProofTopic::new)
                .operations(
                        3,
                        (process, operation) -> process.hapax
                                .once(Key.of("orders", operation.id()).at(operation.time()))
                                .run(tx ->
                                        tx.publish(RelayFixture.PLACED, "key-" + operation.nth() % 2, operation.id())))
                .background(ProofProcess::relay)
                .unfinished(UNPUBLISHED)
                .counts("the topic", ProofTopic.class, ProofTopic::published)
                .invariant("order per key on the topic", ProofTopic.class, ProofTopic::outOfOrder);
    }
}
