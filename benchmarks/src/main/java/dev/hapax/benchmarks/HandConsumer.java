package dev.hapax.benchmarks;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What one writes by hand, at least once: poll, one INSERT of many rows, commit, commitSync. As many threads as wanted, each with its share of the partitions. */
final class HandConsumer {

    private static final Duration POLL = Duration.ofMillis(100);

    private final Lab lab;
    private final String servers;
    private final String topic;
    private final String group;
    private final AtomicLong count = new AtomicLong();
    private final AtomicLong beganNanos = new AtomicLong();
    private volatile boolean stopping;

    HandConsumer(Lab lab, String servers, String topic, String group) {
        this.lab = lab;
        this.servers = servers;
        this.topic = topic;
        this.group = group;
    }

    /** How the records of a poll are applied. */
    @FunctionalInterface
    interface Applying {
        void apply(Connection connection, List<ConsumerRecord<byte[], byte[]>> records) throws SQLException;
    }

    static void together(Connection connection, List<ConsumerRecord<byte[], byte[]>> records) throws SQLException {
        TopicRecords.insertRecords(connection, records);
        connection.commit();
    }

    static void oneByOne(Connection connection, List<ConsumerRecord<byte[], byte[]>> records) throws SQLException {
        for (ConsumerRecord<byte[], byte[]> record : records) {
            TopicRecords.insertRecords(connection, List.of(record));
            connection.commit();
        }
    }

    /** Applies so many records, and returns how long that took since the first ones were there. */
    Cell.Done apply(int threads, long records, Applying applying) throws Exception {
        AtomicInteger next = new AtomicInteger();
        try (Crew crew = new Crew(threads)) {
            crew.run(Duration.ZERO, () -> {
                int thread = next.getAndIncrement();
                read(partitions(p -> p % threads == thread), records, applying);
                return 1;
            });
        }
        return new Cell.Done(count.get(), System.nanoTime() - beganNanos.get());
    }

    /** Applies what comes, until it is stopped. */
    void follow(Applying applying) throws Exception {
        read(partitions(p -> true), Long.MAX_VALUE, applying);
    }

    private List<TopicPartition> partitions(IntPredicate ours) {
        return IntStream.range(0, TopicRecords.PARTITIONS)
                .filter(ours)
                .mapToObj(p -> new TopicPartition(topic, p))
                .toList();
    }

    void stop() {
        stopping = true;
    }

    long count() {
        return count.get();
    }

    long beganNanos() {
        return beganNanos.get();
    }

    private void read(List<TopicPartition> partitions, long records, Applying applying) throws SQLException {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                        Map.of(
                                "bootstrap.servers",
                                servers,
                                "group.id",
                                group,
                                "enable.auto.commit",
                                "false",
                                "isolation.level",
                                "read_committed"),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer());
                Connection connection = lab.pool.getConnection()) {
            connection.setAutoCommit(false);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (count.get() < records && !stopping) {
                ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
                if (polled.isEmpty()) {
                    continue;
                }
                beganNanos.compareAndSet(0, System.nanoTime());
                List<ConsumerRecord<byte[], byte[]>> batch = new ArrayList<>(polled.count());
                polled.forEach(batch::add);
                applying.apply(connection, batch);
                consumer.commitSync();
                count.addAndGet(batch.size());
            }
            connection.setAutoCommit(true);
        }
    }
}
