package dev.hapax.kafka;

import dev.hapax.internal.consume.LaneMark;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Where one relay keeps its positions: in a compacted topic, under keys that name the log, the relay and the lane; all of them in one partition.
 *
 * <p>Also the ids of messages that had been set aside and were published later, until the database knows.
 */
final class PositionTopic {

    private static final Duration READ_WITHIN = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(200);

    private final Map<String, Object> connection;
    private final TopicPartition partition;
    private final String prefix;

    PositionTopic(Map<String, Object> connection, String topic, int partitions, UUID log, String relay) {
        this.connection = connection;
        this.prefix = log + "/" + relay + "/";
        CRC32C crc = new CRC32C();
        crc.update(Records.utf8(prefix));
        this.partition = new TopicPartition(topic, (int) (crc.getValue() % partitions));
    }

    /** What fences a relay that was replaced: the same for all processes that run it. */
    static String transactionalId(UUID log, String relay) {
        return "hapax-" + log + "-" + relay;
    }

    /**
     * What a relay has left.
     *
     * @param marks by lane; a lane that it has never written is missing
     * @param published messages that were set aside and have been published since
     */
    record Left(Map<Integer, LaneMark> marks, List<UUID> published) {}

    ProducerRecord<byte[], byte[]> of(LaneMark mark) {
        return new ProducerRecord<>(
                partition.topic(),
                partition.partition(),
                Records.utf8(prefix + "lane/" + mark.lane()),
                MarkCodec.encode(mark));
    }

    /** Says that a message which had been set aside is published. */
    ProducerRecord<byte[], byte[]> published(UUID message) {
        return held(message, Records.utf8("published"));
    }

    /** The database knows that it is. */
    ProducerRecord<byte[], byte[]> settled(UUID message) {
        return held(message, null);
    }

    private ProducerRecord<byte[], byte[]> held(UUID message, byte @Nullable [] value) {
        return new ProducerRecord<>(
                partition.topic(), partition.partition(), Records.utf8(prefix + "held/" + message), value);
    }

    TopicPartition partition() {
        return partition;
    }

    /**
     * Reads what committed transactions have left. Whoever writes must have been fenced before.
     *
     * @param end of the partition, after the fencing: what is read ends there or later, and not where some other transaction is still open
     */
    Left read(long end) {
        Map<String, Object> properties = new HashMap<>(connection);
        properties.put("isolation.level", "read_committed");
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        Map<Integer, LaneMark> marks = new TreeMap<>();
        Map<UUID, Boolean> published = new HashMap<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long tries = READ_WITHIN.toMillis() / POLL.toMillis();
            while (consumer.position(partition) < end) {
                if (tries-- == 0) {
                    throw new TimeoutException("the positions in " + partition + " could not be read up to " + end
                            + " within " + READ_WITHIN + "; another relay's transaction may still be open before");
                }
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    take(record, marks, published);
                }
            }
        }
        published.values().removeIf(is -> !is);
        return new Left(marks, List.copyOf(published.keySet()));
    }

    private void take(
            ConsumerRecord<byte[], byte[]> record, Map<Integer, LaneMark> marks, Map<UUID, Boolean> published) {
        String key = record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
        if (!key.startsWith(prefix)) {
            return;
        }
        String[] name = key.substring(prefix.length()).split("/");
        byte[] value = record.value();
        if (name.length == 2 && name[0].equals("lane") && value != null) {
            int lane = Integer.parseInt(name[1]);
            marks.put(lane, MarkCodec.decode(lane, value));
        } else if (name.length == 2 && name[0].equals("held")) {
            published.put(UUID.fromString(name[1]), value != null);
        }
    }
}
