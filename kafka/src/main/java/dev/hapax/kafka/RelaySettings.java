package dev.hapax.kafka;

import dev.hapax.Hapax;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Start;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** The settings of one relay. Not changed after it is started. */
final class RelaySettings implements KafkaRelayBuilder {

    private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9._-]{1,249}");
    private static final int REPLICAS_MAX = 100;
    private static final int BATCH_MAX = 10_000;

    /** Kafka's own default. */
    private static final long RECORD_BYTES_MAX = 1_048_576;

    final String name;

    /** What a relay has in common with consumers: it is one, of all that the log's reader knows. */
    final ConsumerBuilder reader;

    final Map<String, String> topics = new LinkedHashMap<>();
    Map<String, Object> producer = Map.of();
    Map<String, Object> connection = Map.of();
    KafkaRelay.Mode mode = KafkaRelay.Mode.EXACTLY_ONCE;
    String positionTopic = "hapax-positions";
    int replication = 3;
    boolean holdsKeys = true;
    int batch = 4_000;
    int heldMax = 100_000;
    Outputs outputs = TransactionalOutput::new;

    /** Makes what publishes in transactions. Tests put one there that does something wrong, to see that it is found. */
    interface Outputs {
        Output transactional(
                Map<String, Object> properties, String transactionalId, Records records, PositionTopic positions);
    }

    RelaySettings(Hapax hapax, String name) {
        this.name = name;
        this.reader = hapax.consumer(name);
        reader.idle(Duration.ofMillis(20));
    }

    @Override
    public KafkaRelayBuilder topic(String topic) {
        return topic(topic, topic);
    }

    @Override
    public KafkaRelayBuilder topic(String topic, String kafkaTopic) {
        reader.topic(topic);
        topics.put(topic, checked("kafka topic", kafkaTopic));
        return this;
    }

    private static String checked(String what, String topic) {
        if (!TOPIC.matcher(topic).matches() || topic.equals(".") || topic.equals("..")) {
            throw new IllegalArgumentException(what + " must be 1 to 249 letters, digits, '.', '_' or '-'; it was \""
                    + topic + "\". Give another name with topic(\"…\", \"…\")");
        }
        return topic;
    }

    private static int range(String what, int value, int max) {
        if (value < 1 || value > max) {
            throw new IllegalArgumentException(what + " must be between 1 and " + max + "; it was " + value);
        }
        return value;
    }

    @Override
    public KafkaRelayBuilder producer(Map<String, ?> properties) {
        producer = ProducerSettings.of(properties);
        connection = ProducerSettings.connection(properties);
        return this;
    }

    @Override
    public KafkaRelayBuilder mode(KafkaRelay.Mode wanted) {
        mode = wanted;
        return this;
    }

    @Override
    public KafkaRelayBuilder positionTopic(String topic) {
        positionTopic = checked("positionTopic", topic);
        return this;
    }

    @Override
    public KafkaRelayBuilder replication(int replicas) {
        replication = range("replication", replicas, REPLICAS_MAX);
        return this;
    }

    @Override
    public KafkaRelayBuilder continuePastFailures() {
        holdsKeys = false;
        reader.continuePastFailures();
        return this;
    }

    @Override
    public KafkaRelayBuilder startFrom(Start start) {
        reader.startFrom(start);
        return this;
    }

    @Override
    public KafkaRelayBuilder batch(int messages) {
        batch = range("batch", messages, BATCH_MAX);
        return this;
    }

    @Override
    public KafkaRelayBuilder lease(Duration time) {
        reader.lease(time);
        return this;
    }

    @Override
    public KafkaRelayBuilder idle(Duration longest) {
        reader.idle(longest);
        return this;
    }

    @Override
    public KafkaRelayBuilder heldMax(int messages) {
        reader.heldMax(messages);
        heldMax = messages;
        return this;
    }

    /** What the producer takes for a record at most. */
    long recordBytesMax() {
        Object given = producer.get("max.request.size");
        return given == null
                ? RECORD_BYTES_MAX
                : Long.parseLong(given.toString().strip());
    }

    /** The topics that are published to. */
    Set<String> targets() {
        return new TreeSet<>(topics.values());
    }

    @Override
    public KafkaRelay start() {
        if (topics.isEmpty()) {
            throw new IllegalStateException("relay " + name + " has no topic; call .topic(…)");
        }
        if (producer.isEmpty()) {
            throw new IllegalStateException(
                    "relay " + name + " has no broker; call .producer(…) with bootstrap.servers");
        }
        if (targets().contains(positionTopic)) {
            throw new IllegalArgumentException("relay " + name + " publishes to " + positionTopic
                    + ", which is its position topic; give another with positionTopic(…)");
        }
        return RunningRelay.start(this);
    }
}
