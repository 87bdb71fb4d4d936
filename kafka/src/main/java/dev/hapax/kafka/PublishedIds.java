package dev.hapax.kafka;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads from topics which messages are on them. Used by one thread. */
final class PublishedIds {

    private static final Duration POLL = Duration.ofMillis(500);
    private static final int SILENT_POLLS_MAX = 120;
    private static final int IDS_MAX = 5_000_000;

    private final Map<String, Object> connection;
    private final TopicAdmin topics;

    PublishedIds(Map<String, Object> connection, TopicAdmin topics) {
        this.connection = connection;
        this.topics = topics;
    }

    /** The ids of all committed records from an instant on, by topic. */
    Set<UUID> since(Map<String, Instant> from) {
        Map<TopicPartition, Long> ends = topics.endsOf(from.keySet());
        Map<String, Object> properties = new HashMap<>(connection);
        properties.put("isolation.level", "read_committed");
        properties.put("enable.auto.commit", "false");
        Set<UUID> ids = new HashSet<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(ends.keySet());
            seek(consumer, from, ends);
            int silent = 0;
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                int before = ids.size();
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    add(record, ids);
                }
                silent = ids.size() == before ? silent + 1 : 0;
                if (silent > SILENT_POLLS_MAX) {
                    throw new TimeoutException("topics " + from.keySet() + " could not be read to their end");
                }
            }
        }
        return ids;
    }

    private static void seek(
            KafkaConsumer<byte[], byte[]> consumer, Map<String, Instant> from, Map<TopicPartition, Long> ends) {
        Map<TopicPartition, Long> times = new HashMap<>();
        for (TopicPartition partition : ends.keySet()) {
            Instant since = from.getOrDefault(partition.topic(), Instant.EPOCH);
            times.put(partition, since.toEpochMilli());
        }
        Map<TopicPartition, OffsetAndTimestamp> offsets = consumer.offsetsForTimes(times);
        ends.forEach((partition, end) -> {
            OffsetAndTimestamp at = offsets.get(partition);
            consumer.seek(partition, at == null ? end : at.offset());
        });
    }

    private static void add(ConsumerRecord<byte[], byte[]> record, Set<UUID> ids) {
        Header id = record.headers().lastHeader(KafkaHeaders.ID);
        if (id == null || id.value() == null) {
            return;
        }
        if (ids.size() >= IDS_MAX) {
            throw new UnsafeTopicException("more than " + IDS_MAX + " records would have to be compared on topic "
                    + record.topic() + "; narrow the range, or decide to skip it");
        }
        try {
            ids.add(UUID.fromString(new String(id.value(), StandardCharsets.UTF_8)));
        } catch (IllegalArgumentException e) {
            // A record of somebody else, whose id is no UUID: none of ours.
            return;
        }
    }
}
