package dev.hapax.kafka;

import dev.hapax.Hapax;
import dev.hapax.internal.consume.LogFeed;
import dev.hapax.internal.consume.RelayStore;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.OutsideFaults;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A process of a scenario: a service with a relay to Kafka, whose rounds are called by hand. The clients of Kafka are real, and each call of the producer is a point. */
final class ProofProcess implements AutoCloseable {

    static final String RELAY = "relay";
    private static final int RELAY_STEPS = 4;

    /** What Kafka's clients throw. */
    private static final OutsideFaults FAULTS = (mode, call) -> switch (mode) {
        case LOST_NOT_COMMITTED -> new DisconnectException("no connection for " + call);
        case LOST_COMMITTED -> new TimeoutException("no answer from " + call + ", which was done");
        default -> new KafkaException(call + " was refused on purpose");
    };

    private final Node node;
    private final ProofTopic topic;
    final Hapax hapax;
    private @Nullable LogFeed feed;
    private @Nullable RelayRunner relay;

    ProofProcess(Node node) {
        this.node = node;
        this.topic = node.outside(ProofTopic.class);
        this.hapax = Hapax.on(node.dataSource())
                .name("shop")
                .housekeeping(false)
                .attempts(3)
                .open();
    }

    /** A few rounds of a relay. */
    void relay() throws Exception {
        RelayRunner runner = relay;
        LogFeed lanes = feed;
        if (runner == null || lanes == null) {
            RelaySettings settings = (RelaySettings) KafkaRelay.of(hapax, RELAY)
                    .topic(RelayFixture.PLACED, topic.name)
                    .producer(Map.of("bootstrap.servers", topic.servers()))
                    .positionTopic(topic.positions)
                    .replication(1);
            settings.outputs = (properties, id, records, positions) ->
                    new TransactionalOutput(watched(TransactionalOutput.producer(properties, id)), records, positions);
            lanes = LogFeed.of(settings.reader, false);
            runner = new RelayRunner(settings, lanes, RelayStore.of(settings.reader));
            feed = lanes;
            relay = runner;
        }
        lanes.keepLease();
        for (int i = 0; i < RELAY_STEPS; i++) {
            runner.stepByHand();
        }
    }

    /** A killed process sends nothing more, and leaves its transaction open. */
    @SuppressWarnings("unchecked")
    private Producer<byte[], byte[]> watched(Producer<byte[], byte[]> producer) {
        node.owns(() -> producer.close(Duration.ZERO));
        return node.around(Producer.class, producer, FAULTS);
    }

    @Override
    public void close() {
        try {
            if (relay != null) {
                relay.endByHand();
            }
        } finally {
            if (feed != null) {
                feed.close();
            }
            hapax.close();
        }
    }
}
