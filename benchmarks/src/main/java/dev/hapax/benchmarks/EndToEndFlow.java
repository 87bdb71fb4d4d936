package dev.hapax.benchmarks;

import dev.hapax.Hapax;
import dev.hapax.consume.Consumer;
import dev.hapax.consume.Start;
import dev.hapax.kafka.KafkaRelay;
import dev.hapax.kafka.KafkaRelay.Mode;
import dev.hapax.kafka.KafkaRelay.State;
import dev.hapax.kafka.KafkaSource;
import dev.hapax.spi.Metrics;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * From the log by way of Kafka to an effect in the same database: exactly once, or at least once with an idempotent producer and a consumer by hand. Who listens is told of each message after the commit of its effect.
 */
final class EndToEndFlow implements AutoCloseable {

    private static final Duration CONNECTED_WITHIN = Duration.ofMinutes(1);

    private final Hapax hapax;
    private final KafkaRelay relay;
    private final @Nullable Consumer consumer;
    private final @Nullable HandConsumer byHand;
    private @Nullable Thread byHandThread;

    private EndToEndFlow(Hapax hapax, KafkaRelay relay, @Nullable Consumer consumer, @Nullable HandConsumer byHand) {
        this.hapax = hapax;
        this.relay = relay;
        this.consumer = consumer;
        this.byHand = byHand;
    }

    static EndToEndFlow start(Lab lab, EmbeddedKafka kafka, String name, Mode mode, Start from, IntConsumer committed)
            throws Exception {
        kafka.createTopic(name, TopicRecords.PARTITIONS);
        Committed told = new Committed(committed);
        Hapax hapax = Hapax.on(lab.pool).name(Lab.SERVICE).metrics(told).open();
        EndToEndFlow flow;
        if (mode == Mode.EXACTLY_ONCE) {
            Consumer consumer = hapax.consumer(name + "-effects")
                    .from(KafkaSource.topic(name, Map.of("bootstrap.servers", kafka.bootstrapServers()))
                            .bytes())
                    .handleAll(byte[].class, (deliveries, tx) -> {
                        TopicRecords.insertDeliveries(tx.connection(), deliveries);
                        told.inHand(deliveries.stream()
                                .mapToInt(delivery -> Messages.number(delivery.body()))
                                .toArray());
                    })
                    .start();
            Waiting.until(
                    CONNECTED_WITHIN,
                    consumer.name() + " has its partitions",
                    () -> lab.number(
                                    "SELECT count(*) FROM hapax.kafka_position WHERE owner IS NOT NULL AND consumer = '"
                                            + consumer.name() + "'")
                            == TopicRecords.PARTITIONS);
            flow = new EndToEndFlow(hapax, relay(hapax, kafka, name, mode, from), consumer, null);
        } else {
            HandConsumer byHand = new HandConsumer(lab, kafka.bootstrapServers(), name, name);
            flow = new EndToEndFlow(hapax, relay(hapax, kafka, name, mode, from), null, byHand);
            flow.byHandThread =
                    Thread.ofPlatform().daemon().name("bench-by-hand").start(() -> follow(byHand, committed));
        }
        Waiting.until(CONNECTED_WITHIN, "relay " + name + " is connected", () -> flow.relay.state() == State.RUNNING);
        return flow;
    }

    private static KafkaRelay relay(Hapax hapax, EmbeddedKafka kafka, String name, Mode mode, Start from) {
        return KafkaRelay.of(hapax, name)
                .topic(Messages.TOPIC, name)
                .producer(Map.of("bootstrap.servers", kafka.bootstrapServers()))
                .mode(mode)
                .startFrom(from)
                .replication(1)
                .start();
    }

    private static void follow(HandConsumer byHand, IntConsumer committed) {
        try {
            byHand.follow((connection, records) -> {
                HandConsumer.together(connection, records);
                records.forEach(record -> committed.accept(Messages.number(record.value())));
            });
        } catch (Exception e) {
            throw new IllegalStateException("the consumer by hand failed", e);
        }
    }

    /** Hapax counts after the commit, on the thread that handled. */
    private static final class Committed implements Metrics {

        private final IntConsumer committed;
        private final ThreadLocal<List<int[]>> hand = ThreadLocal.withInitial(java.util.ArrayList::new);

        Committed(IntConsumer committed) {
            this.committed = committed;
        }

        void inHand(int[] numbers) {
            hand.get().add(numbers);
        }

        @Override
        public void handled(String name, Handling handling, long count) {
            for (int[] numbers : hand.get()) {
                for (int number : numbers) {
                    committed.accept(number);
                }
            }
            hand.get().clear();
        }
    }

    @Override
    public void close() throws InterruptedException {
        relay.close();
        if (consumer != null) {
            consumer.close();
        }
        Thread thread = byHandThread;
        if (byHand != null && thread != null) {
            byHand.stop();
            thread.join();
        }
        hapax.close();
    }
}
