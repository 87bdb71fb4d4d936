package dev.hapax.benchmarks;

import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** A plain consumer of a topic's committed records. */
final class TopicReader implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(100);

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final List<TopicPartition> partitions;
    private final AtomicLong count = new AtomicLong();
    private volatile boolean stopping;
    private @Nullable Thread thread;

    TopicReader(EmbeddedKafka kafka, String topic, int partitionCount) {
        this.consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "isolation.level", "read_committed"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        this.partitions = IntStream.range(0, partitionCount)
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
    }

    /** Reads all that is there. */
    void toTheEnd(Consumer<ConsumerRecord<byte[], byte[]>> each) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
            consumer.poll(POLL).forEach(each);
        }
    }

    /** Reads what comes, in a thread of its own. */
    TopicReader follow(Consumer<ConsumerRecord<byte[], byte[]>> each) {
        thread = Thread.ofPlatform().daemon().name("bench-topic").start(() -> {
            while (!stopping) {
                consumer.poll(POLL).forEach(record -> {
                    each.accept(record);
                    count.incrementAndGet();
                });
            }
        });
        return this;
    }

    long count() {
        return count.get();
    }

    @Override
    public void close() throws InterruptedException {
        stopping = true;
        Thread following = thread;
        if (following != null) {
            following.join();
        }
        consumer.close();
    }
}
