package dev.hapax.kafka;

import dev.hapax.consume.Start;
import dev.hapax.consume.source.SourceAssignments;
import dev.hapax.consume.source.SourceBatch;
import dev.hapax.consume.source.SourceException;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.consume.source.SourceRecord;
import dev.hapax.consume.source.SourceSession;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A member of a consumer group. Used by one thread, but for {@link #wake}. */
final class KafkaSession implements SourceSession {

    private static final Logger LOG = LoggerFactory.getLogger(KafkaSession.class);

    /** Goes with the offsets that are told to Kafka, so that those of others can be told apart. */
    private static final String OURS = "hapax";

    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

    private final Consumer<byte[], byte[]> consumer;
    private final Admin admin;
    private final long timeoutMillis;
    private final Subscription subscription;
    private final Function<ConsumerRecord<byte[], byte[]>, SourceRecord> reader;
    private final SourceAssignments assignments;

    private KafkaSession(
            Consumer<byte[], byte[]> consumer,
            Admin admin,
            long timeoutMillis,
            Subscription subscription,
            Function<ConsumerRecord<byte[], byte[]>, SourceRecord> reader,
            SourceAssignments assignments) {
        this.consumer = consumer;
        this.admin = admin;
        this.timeoutMillis = timeoutMillis;
        this.subscription = subscription;
        this.reader = reader;
        this.assignments = assignments;
    }

    /** Makes the client that reads. Tests put one there that stands between. */
    interface Consumers {
        Consumer<byte[], byte[]> consumer(Map<String, Object> properties);
    }

    static KafkaSession open(
            Map<String, Object> properties,
            Consumers consumers,
            Subscription subscription,
            Function<ConsumerRecord<byte[], byte[]>, SourceRecord> reader,
            SourceAssignments assignments) {
        try {
            Admin admin = Admin.create(ConsumerProperties.admin(properties));
            try {
                long timeout = Long.parseLong(String.valueOf(properties.get("default.api.timeout.ms")));
                return new KafkaSession(
                        consumers.consumer(properties), admin, timeout, subscription, reader, assignments);
            } catch (RuntimeException e) {
                admin.close(Duration.ZERO);
                throw e;
            }
        } catch (KafkaException e) {
            throw failed("Kafka's client could not be made", e);
        }
    }

    private static SourceException failed(String what, Exception e) {
        return new SourceException(what + ": " + e.getMessage(), e);
    }

    /** Runs a call that a {@link #wake} may have ended before it began. */
    private static <T> T called(Supplier<T> call) {
        try {
            try {
                return call.get();
            } catch (WakeupException e) {
                LOG.trace("woken before a call; it is made again", e);
                return call.get();
            }
        } catch (KafkaException e) {
            throw failed("Kafka could not be asked", e);
        }
    }

    @Override
    public void join() {
        ConsumerRebalanceListener listener = new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                assignments.assigned(ours(partitions));
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                assignments.revoked(ours(partitions));
            }

            @Override
            public void onPartitionsLost(Collection<TopicPartition> partitions) {
                assignments.lost(ours(partitions));
            }
        };
        switch (subscription) {
            case Subscription.Names names -> consumer.subscribe(names.topics(), listener);
            case Subscription.Matching matching -> consumer.subscribe(matching.topics(), listener);
        }
    }

    private static List<SourcePartition> ours(Collection<TopicPartition> partitions) {
        return partitions.stream().map(KafkaSession::ours).toList();
    }

    private static SourcePartition ours(TopicPartition partition) {
        return new SourcePartition(partition.topic(), partition.partition());
    }

    private static List<TopicPartition> theirs(Collection<SourcePartition> partitions) {
        return partitions.stream().map(KafkaSession::theirs).toList();
    }

    private static TopicPartition theirs(SourcePartition partition) {
        return new TopicPartition(partition.topic(), partition.partition());
    }

    @Override
    public void leave() {
        called(() -> {
            consumer.unsubscribe();
            return consumer;
        });
    }

    @Override
    public SourceBatch poll(Duration longest) {
        try {
            List<SourceRecord> records = new ArrayList<>();
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(longest)) {
                records.add(reader.apply(record));
            }
            return new SourceBatch(records, Map.of());
        } catch (WakeupException e) {
            LOG.trace("woken from a poll", e);
            return new SourceBatch(List.of(), Map.of());
        } catch (OffsetOutOfRangeException e) {
            return new SourceBatch(List.of(), missing(e.offsetOutOfRangePartitions()));
        } catch (KafkaException e) {
            throw failed("Kafka could not be read", e);
        }
    }

    private Map<SourcePartition, String> missing(Map<TopicPartition, Long> outOfRange) {
        Map<TopicPartition, Long> first = called(() -> consumer.beginningOffsets(outOfRange.keySet()));
        Map<TopicPartition, Long> end = called(() -> consumer.endOffsets(outOfRange.keySet()));
        Map<SourcePartition, String> missing = new HashMap<>();
        outOfRange.forEach((partition, offset) -> {
            long from = first.getOrDefault(partition, 0L);
            long to = end.getOrDefault(partition, 0L);
            String why = offset < from
                    ? "records " + offset + " to " + (from - 1)
                            + " were removed by the topic's retention before they were read; it has " + from + " to "
                            + (to - 1)
                    : "offset " + offset + " is not there: the topic ends at " + to
                            + ". It was made anew, or has lost records";
            missing.put(ours(partition), why + ". Say where to go on: ./hapax consumer seek");
        });
        return missing;
    }

    @Override
    public void hold(SourcePartition partition) {
        TopicPartition theirs = theirs(partition);
        if (consumer.assignment().contains(theirs)) {
            consumer.pause(List.of(theirs));
            // Without a place, Kafka's client would look for one.
            consumer.seek(theirs, 0);
        }
    }

    @Override
    public void begin(SourcePartition partition, long number) {
        TopicPartition theirs = theirs(partition);
        consumer.seek(theirs, number);
        consumer.resume(List.of(theirs));
    }

    @Override
    public void pause(Collection<SourcePartition> partitions) {
        if (!partitions.isEmpty()) {
            consumer.pause(theirs(partitions));
        }
    }

    @Override
    public void resume(Collection<SourcePartition> partitions) {
        if (!partitions.isEmpty()) {
            consumer.resume(theirs(partitions));
        }
    }

    @Override
    public long place(SourcePartition partition) {
        return called(() -> consumer.position(theirs(partition)));
    }

    @Override
    public OptionalLong behind(SourcePartition partition) {
        return consumer.currentLag(theirs(partition));
    }

    @Override
    public Optional<UUID> identity(String topic) {
        try {
            TopicDescription topicNow = admin.describeTopics(List.of(topic))
                    .allTopicNames()
                    .get(timeoutMillis, TimeUnit.MILLISECONDS)
                    .get(topic);
            if (topicNow == null) {
                return Optional.empty();
            }
            Uuid id = topicNow.topicId();
            return Optional.of(new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits()));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException
                    || e.getCause() instanceof InvalidTopicException) {
                return Optional.empty();
            }
            throw failed("topic " + topic + " could not be looked at", e);
        } catch (TimeoutException e) {
            throw new SourceException("topic " + topic + " could not be looked at in time", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SourceException("interrupted while topic " + topic + " was looked at", e);
        }
    }

    @Override
    public Map<SourcePartition, Long> starts(String topic, Start start) {
        List<TopicPartition> partitions = called(() -> consumer.partitionsFor(topic)).stream()
                .map(info -> new TopicPartition(topic, info.partition()))
                .toList();
        Map<TopicPartition, Long> offsets = switch (start) {
            case Start.Beginning beginning -> called(() -> consumer.beginningOffsets(partitions));
            case Start.Now now -> called(() -> consumer.endOffsets(partitions));
            case Start.At at -> since(partitions, at.instant().toEpochMilli());
        };
        Map<SourcePartition, Long> starts = new HashMap<>();
        offsets.forEach((partition, offset) -> starts.put(ours(partition), offset));
        return starts;
    }

    private Map<TopicPartition, Long> since(List<TopicPartition> partitions, long millis) {
        Map<TopicPartition, Long> times = new HashMap<>();
        partitions.forEach(partition -> times.put(partition, millis));
        Map<TopicPartition, Long> offsets = new HashMap<>(called(() -> consumer.endOffsets(partitions)));
        Map<TopicPartition, OffsetAndTimestamp> found = called(() -> consumer.offsetsForTimes(times));
        found.forEach((partition, offset) -> {
            if (offset != null) {
                offsets.put(partition, offset.offset());
            }
        });
        return offsets;
    }

    private static Map<TopicPartition, OffsetAndMetadata> told(Map<SourcePartition, Long> next) {
        Map<TopicPartition, OffsetAndMetadata> told = new HashMap<>();
        next.forEach((partition, offset) -> told.put(theirs(partition), new OffsetAndMetadata(offset, OURS)));
        return told;
    }

    @Override
    public void acknowledge(Map<SourcePartition, Long> next) {
        if (!next.isEmpty()) {
            consumer.commitAsync(told(next), (offsets, failure) -> {
                if (failure != null) {
                    LOG.debug("offsets could not be told to Kafka; the next ones will", failure);
                }
            });
        }
    }

    @Override
    public boolean confirm(Map<SourcePartition, Long> next, Duration longest) {
        for (int tries = 1; ; tries++) {
            try {
                consumer.commitSync(told(next), longest);
                return true;
            } catch (WakeupException e) {
                if (tries > 1) {
                    return false;
                }
            } catch (CommitFailedException | RebalanceInProgressException e) {
                LOG.debug("Kafka does not take offsets from this process at the moment", e);
                return false;
            } catch (KafkaException e) {
                LOG.debug("offsets could not be told to Kafka", e);
                return false;
            }
        }
    }

    @Override
    public Map<SourcePartition, Long> toldByOthers(Collection<SourcePartition> partitions) {
        Map<SourcePartition, Long> others = new HashMap<>();
        if (!partitions.isEmpty()) {
            Set<TopicPartition> wanted = new HashSet<>(theirs(partitions));
            called(() -> consumer.committed(wanted)).forEach((partition, offset) -> {
                if (offset != null && !OURS.equals(offset.metadata())) {
                    others.put(ours(partition), offset.offset());
                }
            });
        }
        return others;
    }

    @Override
    public void wake() {
        consumer.wakeup();
    }

    @Override
    public void close() {
        try {
            called(() -> {
                consumer.close(CloseOptions.timeout(CLOSE_WITHIN));
                return consumer;
            });
        } catch (SourceException e) {
            LOG.info("Kafka's client could not be closed in order: {}", e.toString());
        } finally {
            admin.close(CLOSE_WITHIN);
        }
    }
}
