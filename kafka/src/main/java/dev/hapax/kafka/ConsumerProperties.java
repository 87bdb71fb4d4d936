package dev.hapax.kafka;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The properties of a consumer: the user's, refused where they would break exactness, on top of what serves it best. */
final class ConsumerProperties {

    private static final String CLASSIC = "classic";

    private ConsumerProperties() {}

    /** @throws IllegalArgumentException if one is unsafe, or missing, or not valid */
    static void check(Map<String, Object> given, String group) {
        refuse(given, ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, "KafkaSource reads bytes, and decodes by itself");
        refuse(given, ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, "KafkaSource reads bytes, and decodes by itself");
        allow(
                given,
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                "false"::equals,
                "false",
                "offsets would be told to Kafka before the effects are committed");
        allow(
                given,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "none"::equals,
                "none",
                "where a consumer starts is said by startFrom(…), and records that are missing must not be skipped or repeated unseen");
        allow(
                given,
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed"::equals,
                "read_committed",
                "effects of records would be applied whose transaction is aborted");
        allow(
                given,
                ConsumerConfig.GROUP_ID_CONFIG,
                group.toLowerCase(Locale.ROOT)::equals,
                group,
                "the group is said by KafkaSource.group(…), and is the consumer's name by default");
        try {
            Map<String, Object> all = of(given, group, group);
            if (all.get(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG) == null) {
                throw new IllegalArgumentException(
                        "consumer property bootstrap.servers is missing; give it as HOST:PORT, several separated by commas");
            }
            new ConsumerConfig(all);
        } catch (ConfigException e) {
            throw new IllegalArgumentException("Kafka refuses the consumer properties: " + e.getMessage(), e);
        }
    }

    private static void refuse(Map<String, Object> given, String name, String why) {
        if (given.containsKey(name)) {
            throw new IllegalArgumentException(
                    "consumer property " + name + " = " + given.get(name) + " must not be set: " + why);
        }
    }

    private static void allow(
            Map<String, Object> given, String name, Predicate<String> safe, String allowed, String why) {
        Object value = given.get(name);
        if (value != null && !safe.test(value.toString().strip().toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException(
                    "consumer property " + name + " = " + value + " is unsafe; allowed is " + allowed + ": " + why);
        }
    }

    /** All properties of the consumer. */
    static Map<String, Object> of(Map<String, Object> given, String group, String consumer) {
        Map<String, Object> all = new HashMap<>();
        all.put(ConsumerConfig.CLIENT_ID_CONFIG, "hapax-" + consumer);
        all.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5_000);
        all.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, 8 << 20);
        // Partitions and topics that are added are met within this time.
        all.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 30_000);
        all.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 10_000);
        all.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        Object protocol = given.getOrDefault(ConsumerConfig.GROUP_PROTOCOL_CONFIG, CLASSIC);
        if (CLASSIC.equalsIgnoreCase(protocol.toString())) {
            all.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
            // A process that was killed is replaced within this time.
            all.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000);
        }
        all.putAll(given);
        all.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        all.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        all.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        return all;
    }

    /** Those of them that an administrative client knows as well. */
    static Map<String, Object> admin(Map<String, Object> consumer) {
        Map<String, Object> known = new HashMap<>(consumer);
        known.keySet().retainAll(AdminClientConfig.configNames());
        return known;
    }
}
