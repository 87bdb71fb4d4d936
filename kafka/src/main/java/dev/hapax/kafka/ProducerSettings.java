package dev.hapax.kafka;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;

/** The properties of the relay's producer: the user's, refused where they are unsafe, on top of what serves a relay best. */
final class ProducerSettings {

    private static final int IN_FLIGHT_MAX = 5;

    private ProducerSettings() {}

    /** @throws IllegalArgumentException if one is unsafe, or missing */
    static Map<String, Object> of(Map<String, ?> given) {
        checkPresent(given);
        refuse(
                given,
                "transactional.id",
                "it is derived from the relay's name, so that a relay that was replaced is fenced");
        refuse(given, "key.serializer", "the relay hands over bytes");
        refuse(given, "value.serializer", "the relay hands over bytes");
        allow(
                given,
                "acks",
                value -> value.equals("all") || value.equals("-1"),
                "all",
                "a record that only one broker has is lost with it");
        allow(
                given,
                "enable.idempotence",
                value -> value.equals("true"),
                "true",
                "a retry would publish twice, or out of order");
        allow(
                given,
                "partitioner.ignore.keys",
                value -> value.equals("false"),
                "false",
                "messages of one key would be spread over partitions, and lose their order");
        allow(
                given,
                "retries",
                value -> !value.equals("0"),
                "1 or more",
                "each hiccup of the broker would end the batch");
        allow(
                given,
                "max.in.flight.requests.per.connection",
                ProducerSettings::isOrdered,
                "1 to " + IN_FLIGHT_MAX,
                "more can't be kept in order");
        Map<String, Object> all = new HashMap<>();
        all.put("batch.size", 131_072);
        all.put("buffer.memory", 67_108_864L);
        // One transaction right after another finds the last one's markers still being written, for about a
        // millisecond.
        all.put("retry.backoff.ms", 2);
        all.put("max.block.ms", 15_000L);
        all.put("request.timeout.ms", 10_000);
        all.put("delivery.timeout.ms", 20_000);
        all.putAll(given);
        all.put("acks", "all");
        all.put("enable.idempotence", true);
        return all;
    }

    /** As {@link #of}, for the connection alone: what the administrative client and the reader of the position topic need too. */
    static Map<String, Object> connection(Map<String, ?> given) {
        Map<String, Object> all = new HashMap<>();
        given.forEach((name, value) -> {
            if (name.equals("bootstrap.servers")
                    || name.equals("client.dns.lookup")
                    || name.equals("security.protocol")
                    || name.startsWith("ssl.")
                    || name.startsWith("sasl.")) {
                all.put(name, value);
            }
        });
        return all;
    }

    /** What a properties file gives. */
    static Map<String, Object> map(Properties properties) {
        Map<String, Object> map = new HashMap<>();
        properties.stringPropertyNames().forEach(name -> map.put(name, properties.getProperty(name)));
        return map;
    }

    private static void checkPresent(Map<String, ?> given) {
        Object servers = given.get("bootstrap.servers");
        if (servers == null
                || servers.toString().isBlank()
                || servers.toString().equals("[]")) {
            throw new IllegalArgumentException(
                    "producer property bootstrap.servers is missing; give it as HOST:PORT, several separated by commas");
        }
    }

    private static void refuse(Map<String, ?> given, String name, String why) {
        if (given.containsKey(name)) {
            throw new IllegalArgumentException(
                    "producer property " + name + " = " + given.get(name) + " must not be set: " + why);
        }
    }

    private interface Test {
        boolean holds(String value);
    }

    private static void allow(Map<String, ?> given, String name, Test test, String allowed, String why) {
        Object value = given.get(name);
        if (value != null && !test.holds(value.toString().strip().toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException(
                    "producer property " + name + " = " + value + " is unsafe; allowed is " + allowed + ": " + why);
        }
    }

    private static boolean isOrdered(String value) {
        try {
            int requests = Integer.parseInt(value);
            return requests >= 1 && requests <= IN_FLIGHT_MAX;
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
