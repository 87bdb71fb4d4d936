package dev.hapax.kafka;

import dev.hapax.Hapax;
import dev.hapax.internal.consume.LogFeed;
import dev.hapax.internal.consume.RelayStore;
import dev.hapax.internal.consume.SteppedSource;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.OutsideFaults;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A process of a scenario: a service with a relay to Kafka, a consumer of Kafka, or both, whose rounds are called by hand. The clients of Kafka are real. Each call of the producer is a point, and so is each
 * acknowledgement of the consumer.
 */
final class ProofProcess implements AutoCloseable {

    static final String RELAY = "relay";
    static final String CONSUMER = "billing";
    private static final int RELAY_STEPS = 4;
    private static final Duration PATIENCE = Duration.ofMillis(1_500);

    /** What Kafka's clients throw. */
    private static final OutsideFaults FAULTS = (mode, call) -> switch (mode) {
        case LOST_NOT_COMMITTED -> new DisconnectException("no connection for " + call);
        case LOST_COMMITTED -> new TimeoutException("no answer from " + call + ", which was done");
        default -> new KafkaException(call + " was refused on purpose");
    };

    private final Node node;
    final ProofTopic topic;
    final Hapax hapax;
    private @Nullable LogFeed feed;
    private @Nullable RelayRunner relay;
    private @Nullable SteppedSource source;

    ProofProcess(Node node) {
        this.node = node;
        this.topic = node.outside(ProofTopic.class);
        this.hapax = Hapax.on(node.dataSource())
                .name("shop")
                .housekeeping(false)
                .codec(SourceFixture.CODEC)
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

    /** Starts, reads to the end, and stops; goes on where it was if something failed. */
    void consume() throws Exception {
        SteppedSource running = source;
        if (running == null) {
            var builder = hapax.consumer(CONSUMER)
                    .from(KafkaSource.topic(topic.name, Map.of("bootstrap.servers", topic.servers()))
                            .group(topic.name)
                            .decode(SourceFixture::text)
                            .through(properties -> watched(new KafkaConsumer<>(properties))))
                    .backoff(Duration.ofMillis(1), Duration.ofMillis(1))
                    .idle(Duration.ofMillis(20))
                    .handle(String.class, (id, tx) -> SourceFixture.insert(tx.connection(), tx.message(), id));
            running = SteppedSource.of(builder);
            source = running;
        }
        running.work(PATIENCE);
        running.stop();
        source = null;
    }

    /** A killed process is no member any more, and its listener hears nothing. */
    @SuppressWarnings("unchecked")
    private Consumer<byte[], byte[]> watched(Consumer<byte[], byte[]> consumer) {
        AtomicBoolean dead = new AtomicBoolean();
        node.owns(() -> {
            dead.set(true);
            consumer.close(CloseOptions.timeout(Duration.ofSeconds(1)));
        });
        Consumer<byte[], byte[]> points = node.around(Consumer.class, consumer, FAULTS);
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                ProofProcess.class.getClassLoader(), new Class<?>[] {Consumer.class}, (proxy, method, args) -> {
                    boolean acknowledges = method.getName().startsWith("commit");
                    if (method.getName().equals("subscribe") && args.length == 2) {
                        args[1] = new Deaf((ConsumerRebalanceListener) args[1], dead);
                    }
                    try {
                        return method.invoke(acknowledges ? points : consumer, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private record Deaf(ConsumerRebalanceListener listener, AtomicBoolean dead) implements ConsumerRebalanceListener {

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            if (!dead.get()) {
                listener.onPartitionsAssigned(partitions);
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            if (!dead.get()) {
                listener.onPartitionsRevoked(partitions);
            }
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            if (!dead.get()) {
                listener.onPartitionsLost(partitions);
            }
        }
    }

    @Override
    public void close() {
        try {
            if (source != null) {
                source.stop();
            }
        } finally {
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
}
