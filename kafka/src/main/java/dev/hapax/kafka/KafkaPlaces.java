package dev.hapax.kafka;

import dev.hapax.consume.Start;
import dev.hapax.consume.source.SourceException;
import dev.hapax.consume.source.SourcePartition;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.ToLongFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * Looks up places in topics: how far a partition reaches, and where a consumer could go on. What is found is given to {@link dev.hapax.consume.Consumers#seek} or
 * {@link dev.hapax.consume.Consumers#replay}.
 *
 * <p>Safe for use by many threads. All calls throw {@link SourceException} if the broker can't be asked.
 */
public final class KafkaPlaces implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 10_000;
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(1);

    private final Admin admin;

    private KafkaPlaces(Admin admin) {
        this.admin = admin;
    }

    /**
     * Asks this Kafka.
     *
     * @param properties of a client: {@code bootstrap.servers} at least; those that only producers or consumers know are passed over
     * @throws SourceException if a client can't be made of them
     */
    public static KafkaPlaces at(Map<String, ?> properties) {
        Map<String, Object> known = new HashMap<>();
        known.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        known.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        known.putAll(properties);
        known.keySet().retainAll(AdminClientConfig.configNames());
        try {
            return new KafkaPlaces(Admin.create(known));
        } catch (KafkaException e) {
            throw new SourceException("Kafka's client could not be made: " + e.getMessage(), e);
        }
    }

    /**
     * What a partition holds.
     *
     * @param first the first offset that is there
     * @param end the offset after the last one that is committed
     * @param topic which topic it is, beside its name
     */
    public record Range(long first, long end, UUID topic) {}

    /**
     * Places that were found.
     *
     * @param numbers offsets by partition
     * @param topics which topics they belong to, by name
     */
    public record Found(Map<SourcePartition, Long> numbers, Map<String, UUID> topics) {}

    /** What these partitions hold; those that are not there are missing. */
    public Map<SourcePartition, Range> ranges(Collection<SourcePartition> partitions) {
        Map<TopicPartition, UUID> there = there(partitions);
        Map<TopicPartition, Long> first = offsets(there.keySet(), OffsetSpec.earliest());
        Map<TopicPartition, Long> end = offsets(there.keySet(), OffsetSpec.latest());
        Map<SourcePartition, Range> ranges = new TreeMap<>();
        there.forEach((partition, topic) -> ranges.put(
                ours(partition), new Range(first.getOrDefault(partition, 0L), end.getOrDefault(partition, 0L), topic)));
        return ranges;
    }

    /**
     * Finds where to go on.
     *
     * @param to the beginning, the end ({@link Start#NOW}), or the first record that has this time or a later one
     * @throws IllegalArgumentException if one of the partitions is not there
     */
    public Found find(Collection<SourcePartition> partitions, Start to) {
        Map<SourcePartition, Range> ranges = allOf(partitions);
        return switch (to) {
            case Start.Beginning beginning -> found(ranges, Range::first);
            case Start.Now now -> found(ranges, Range::end);
            case Start.At at -> since(ranges, at.instant().toEpochMilli());
        };
    }

    /**
     * Makes sure that offsets are there.
     *
     * @throws IllegalArgumentException if one of the partitions, or its offset, is not there
     */
    public Found check(Map<SourcePartition, Long> numbers) {
        Map<SourcePartition, Range> ranges = allOf(numbers.keySet());
        ranges.forEach((partition, range) -> {
            long number = numbers.getOrDefault(partition, 0L);
            if (number < range.first() || number > range.end()) {
                throw new IllegalArgumentException("offset " + number + " of " + partition + " is not there; it has "
                        + range.first() + " to " + (range.end() - 1) + ", and ends at " + range.end());
            }
        });
        return found(ranges, numbers);
    }

    private Map<SourcePartition, Range> allOf(Collection<SourcePartition> partitions) {
        Map<SourcePartition, Range> ranges = ranges(partitions);
        Set<SourcePartition> missing = new HashSet<>(partitions);
        missing.removeAll(ranges.keySet());
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException("Kafka has no partitions " + missing);
        }
        return ranges;
    }

    private static Found found(Map<SourcePartition, Range> ranges, ToLongFunction<Range> number) {
        Map<SourcePartition, Long> numbers = new TreeMap<>();
        ranges.forEach((partition, range) -> numbers.put(partition, number.applyAsLong(range)));
        return found(ranges, numbers);
    }

    private static Found found(Map<SourcePartition, Range> ranges, Map<SourcePartition, Long> numbers) {
        Map<String, UUID> topics = new TreeMap<>();
        ranges.forEach((partition, range) -> topics.put(partition.topic(), range.topic()));
        return new Found(numbers, topics);
    }

    private Found since(Map<SourcePartition, Range> ranges, long millis) {
        Map<TopicPartition, Long> since =
                offsets(ranges.keySet().stream().map(KafkaPlaces::theirs).toList(), OffsetSpec.forTimestamp(millis));
        Map<SourcePartition, Long> numbers = new TreeMap<>();
        ranges.forEach((partition, range) -> {
            long offset = since.getOrDefault(theirs(partition), -1L);
            // Nothing is as young as that: its next record will be.
            numbers.put(partition, offset < 0 ? range.end() : offset);
        });
        return found(ranges, numbers);
    }

    private Map<TopicPartition, UUID> there(Collection<SourcePartition> partitions) {
        Map<TopicPartition, UUID> there = new HashMap<>();
        Set<String> topics = new HashSet<>();
        partitions.forEach(partition -> topics.add(partition.topic()));
        admin.describeTopics(topics).topicNameValues().forEach((topic, asked) -> {
            TopicDescription found = described(topic, asked);
            if (found != null) {
                partitions.stream()
                        .filter(partition -> partition.topic().equals(topic)
                                && partition.partition() < found.partitions().size())
                        .forEach(partition -> there.put(theirs(partition), identity(found.topicId())));
            }
        });
        return there;
    }

    private static @Nullable TopicDescription described(String topic, KafkaFuture<TopicDescription> asked) {
        try {
            return get("topic " + topic, asked);
        } catch (SourceException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException
                    || e.getCause() instanceof InvalidTopicException) {
                return null;
            }
            throw e;
        }
    }

    private Map<TopicPartition, Long> offsets(Collection<TopicPartition> partitions, OffsetSpec wanted) {
        if (partitions.isEmpty()) {
            return Map.of();
        }
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        partitions.forEach(partition -> asked.put(partition, wanted));
        Map<TopicPartition, Long> offsets = new HashMap<>();
        get(
                        "offsets",
                        admin.listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                                .all())
                .forEach((partition, found) -> offsets.put(partition, found.offset()));
        return offsets;
    }

    private static <T> T get(String what, KafkaFuture<T> asked) {
        try {
            return asked.get(2L * PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new SourceException("Kafka could not be asked for " + what + ": " + cause.getMessage(), cause);
        } catch (TimeoutException e) {
            throw new SourceException("Kafka did not answer when it was asked for " + what, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SourceException("interrupted while Kafka was asked for " + what, e);
        }
    }

    private static UUID identity(Uuid id) {
        return new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    private static SourcePartition ours(TopicPartition partition) {
        return new SourcePartition(partition.topic(), partition.partition());
    }

    private static TopicPartition theirs(SourcePartition partition) {
        return new TopicPartition(partition.topic(), partition.partition());
    }

    @Override
    public void close() {
        admin.close(CLOSE_WITHIN);
    }
}
