package dev.hapax.kafka;

import dev.hapax.consume.source.KeptRecord;
import dev.hapax.consume.source.Source;
import dev.hapax.consume.source.SourceAssignments;
import dev.hapax.consume.source.SourceRecord;
import dev.hapax.consume.source.SourceSession;
import dev.hapax.kafka.Decoding.ByFunction;
import dev.hapax.kafka.Decoding.ByType;
import dev.hapax.kafka.KafkaSession.Consumers;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/**
 * Topics of Kafka, as the source of a consumer: {@code hapax.consumer("billing").from(KafkaSource.topic("orders.placed", properties))}.
 *
 * <p>The position in each partition lies in the database, and is moved in the transaction of the effects. Kafka's own offsets of the group follow it, for tools that look there; where the two differ,
 * the database counts. Records of transactions that were aborted are not seen.
 *
 * <p>By default a record's value is decoded by the service's codec, and its type is in the header {@code eventType} (or {@code type}), as a relay of Hapax and Debezium's outbox event router write it. A record
 * that can't be decoded is set aside, whole.
 *
 * <p>Immutable: each setting gives another source. Safe for use by many threads.
 */
public final class KafkaSource implements Source {

    /** The default of {@link #readAhead}: 16 MiB. */
    public static final long READ_AHEAD_DEFAULT = 16L << 20;

    private static final long READ_AHEAD_MIN = 64L << 10;
    private static final long READ_AHEAD_MAX = 1L << 30;

    private final Subscription subscription;
    private final Map<String, Object> properties;
    private final String group;
    private final Decoding decoding;
    private final boolean ignoresTombstones;
    private final long readAhead;
    private Consumers consumers = KafkaConsumer::new;

    private KafkaSource(
            Subscription subscription,
            Map<String, Object> properties,
            String group,
            Decoding decoding,
            boolean ignoresTombstones,
            long readAhead) {
        this.subscription = subscription;
        this.properties = properties;
        this.group = group;
        this.decoding = decoding;
        this.ignoresTombstones = ignoresTombstones;
        this.readAhead = readAhead;
    }

    private static KafkaSource of(Subscription subscription, Map<String, ?> properties) {
        return new KafkaSource(subscription, Map.copyOf(properties), "", new ByType(""), false, READ_AHEAD_DEFAULT);
    }

    /**
     * One topic.
     *
     * @param properties of Kafka's consumer: {@code bootstrap.servers} at least. What would break exactness is refused when the consumer starts
     */
    public static KafkaSource topic(String topic, Map<String, ?> properties) {
        return topics(List.of(topic), properties);
    }

    /** One topic; see {@link #topic(String, Map)}. */
    public static KafkaSource topic(String topic, Properties properties) {
        return topics(List.of(topic), map(properties));
    }

    /**
     * Several topics; see {@link #topic(String, Map)}.
     *
     * @throws IllegalArgumentException without any
     */
    public static KafkaSource topics(Collection<String> topics, Map<String, ?> properties) {
        if (topics.isEmpty() || topics.stream().anyMatch(String::isBlank)) {
            throw new IllegalArgumentException("a source needs the names of its topics; they were " + topics);
        }
        return of(new Subscription.Names(List.copyOf(topics)), properties);
    }

    /** All topics whose names match, also those that are created later; see {@link #topic(String, Map)}. */
    public static KafkaSource matching(Pattern topics, Map<String, ?> properties) {
        return of(new Subscription.Matching(topics), properties);
    }

    private static Map<String, Object> map(Properties properties) {
        Map<String, Object> map = new HashMap<>();
        properties.stringPropertyNames().forEach(name -> map.put(name, properties.getProperty(name)));
        return map;
    }

    /**
     * You may tune: the consumer group. Default: the consumer's name.
     *
     * @throws IllegalArgumentException if it is blank
     */
    public KafkaSource group(String id) {
        if (id.isBlank()) {
            throw new IllegalArgumentException("group must not be blank");
        }
        return new KafkaSource(subscription, properties, id, decoding, ignoresTombstones, readAhead);
    }

    /**
     * You may tune: what all values are, for the service's codec, such as {@code order-placed.v1}. Default: what each record's header says.
     *
     * @throws IllegalArgumentException if it does not have 1 to 200 characters
     */
    public KafkaSource type(String stored) {
        if (stored.isBlank() || stored.length() > KafkaRecord.TEXT_MAX) {
            throw new IllegalArgumentException("type must have 1 to 200 characters; it has " + stored.length());
        }
        return decodedBy(new ByType(stored));
    }

    /** You may tune: hands values over as they are, to a handler of {@code byte[]}. */
    public KafkaSource bytes() {
        return decode(ConsumerRecord::value);
    }

    /**
     * You may tune: makes a value of a record. A record for which it throws, or gives null, can't be decoded, and is set aside at once. It is called again whenever the record is tried again, so it must be
     * pure.
     *
     * @param function is also given tombstones, whose value is null
     */
    public KafkaSource decode(Function<? super ConsumerRecord<byte[], byte[]>, ?> function) {
        return decodedBy(new ByFunction(function));
    }

    private KafkaSource decodedBy(Decoding other) {
        return new KafkaSource(subscription, properties, group, other, ignoresTombstones, readAhead);
    }

    /** You may tune: passes over records without a value. Default: they are set aside, unless {@link #decode} makes something of them. */
    public KafkaSource ignoreTombstones() {
        return new KafkaSource(subscription, properties, group, decoding, true, readAhead);
    }

    /**
     * You probably shouldn't: how many bytes of records this process reads ahead, over all its partitions, 64 KiB to 1 GiB. Default 16 MiB. What Kafka's client holds ready comes on top:
     * {@code fetch.max.bytes}, 8 MiB unless your properties say otherwise.
     *
     * @throws IllegalArgumentException if it is outside its range
     */
    public KafkaSource readAhead(long bytes) {
        if (bytes < READ_AHEAD_MIN || bytes > READ_AHEAD_MAX) {
            throw new IllegalArgumentException(
                    "readAhead must be between " + READ_AHEAD_MIN + " and " + READ_AHEAD_MAX + "; it was " + bytes);
        }
        return new KafkaSource(subscription, properties, group, decoding, ignoresTombstones, bytes);
    }

    @Override
    public void check(String consumer) {
        ConsumerProperties.check(properties, groupId(consumer));
    }

    @Override
    public String groupId(String consumer) {
        return group.isEmpty() ? consumer : group;
    }

    @Override
    public long readAheadBytes() {
        return readAhead;
    }

    @Override
    public SourceSession open(String consumer, SourceAssignments assignments) {
        return KafkaSession.open(
                ConsumerProperties.of(properties, groupId(consumer), consumer),
                consumers,
                subscription,
                this::read,
                assignments);
    }

    /** For tests: before anything else is done with it, and after all settings. */
    KafkaSource through(Consumers others) {
        consumers = others;
        return this;
    }

    SourceRecord read(ConsumerRecord<byte[], byte[]> record) {
        return new KafkaRecord(record, decoding, ignoresTombstones);
    }

    @Override
    public SourceRecord restore(KeptRecord kept) {
        return read(Envelope.restore(kept));
    }
}
