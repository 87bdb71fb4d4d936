package dev.hapax.kafka;

import dev.hapax.consume.Start;
import java.time.Duration;
import java.util.Map;

/**
 * A relay to Kafka, got from {@link KafkaRelay#of}: topics and a broker must be set. Not safe for use by many threads.
 *
 * <p>All setters throw {@link IllegalArgumentException} for a value outside its range.
 */
public interface KafkaRelayBuilder {

    /** You must set, once or more: which messages, by the topic of the log. They go to the Kafka topic of the same name. */
    KafkaRelayBuilder topic(String topic);

    /**
     * You must set: as {@link #topic(String)}, to a Kafka topic of another name.
     *
     * @param kafkaTopic 1 to 249 letters, digits, {@code .}, {@code _} or {@code -}
     */
    KafkaRelayBuilder topic(String topic, String kafkaTopic);

    /**
     * You must set: properties of Kafka's producer, at least {@code bootstrap.servers}. All are allowed but those that would make it unsafe ({@code acks} other than all, {@code enable.idempotence}
     * off, more than five requests in flight, partitions that ignore the key) and those that are the relay's own ({@code transactional.id}, the serializers).
     */
    KafkaRelayBuilder producer(Map<String, ?> properties);

    /** You may tune: default {@link KafkaRelay.Mode#EXACTLY_ONCE}. */
    KafkaRelayBuilder mode(KafkaRelay.Mode mode);

    /**
     * You may tune: the compacted topic in which positions are kept, 1 to 249 letters, digits, {@code .}, {@code _} or {@code -}; created if it isn't there. Default {@code hapax-positions}. Relays may
     * share it.
     */
    KafkaRelayBuilder positionTopic(String topic);

    /**
     * You may tune: how many replicas each topic must have at least, 1 to 100. Default 3. From 3 on, {@code min.insync.replicas} must be 2 or more: an acknowledged record would else be on one broker
     * alone. Set 1 for a broker that stands alone, and loses what it loses.
     */
    KafkaRelayBuilder replication(int replicas);

    /**
     * You may tune: lets later messages of a key go on while an earlier one that the broker refused is set aside. Default: they wait behind it, in order.
     */
    KafkaRelayBuilder continuePastFailures();

    /** You may tune: where to start without a position. Default {@link Start#BEGINNING}. */
    KafkaRelayBuilder startFrom(Start start);

    /** You may tune: the most messages of one transaction, 1 to 10,000. Default 4,000. Batches are as large as what has come meanwhile, so small when little comes. */
    KafkaRelayBuilder batch(int messages);

    /** You probably shouldn't: how long a process may be silent before another takes over, 500 ms to 10 minutes. Default 3 seconds. */
    KafkaRelayBuilder lease(Duration time);

    /**
     * You probably shouldn't: the longest pause between two looks when nothing comes, 1 ms to 10 s. Default 20 ms. Messages of this process wake it at once.
     */
    KafkaRelayBuilder idle(Duration longest);

    /**
     * You probably shouldn't: how many messages may be held (set aside, or waiting behind those) before the relay stops taking new ones, 1 to 10,000,000. Default 100,000.
     */
    KafkaRelayBuilder heldMax(int messages);

    /**
     * Starts the relay's threads. What can be checked is checked: the settings, and the broker's topics if it answers within seconds; if it doesn't, they are checked when it does, and
     * {@link KafkaRelay#problem()} tells.
     *
     * @throws IllegalStateException if topics or broker are missing
     * @throws IllegalArgumentException if a property or a topic is unsafe; the message says which, why, and what is allowed
     */
    KafkaRelay start();
}
