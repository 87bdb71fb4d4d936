package dev.hapax.examples.shop;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * How the shop's processes reach Kafka. Secrets stay in their file: each process reads it, and nobody finds them among its arguments.
 *
 * @param servers as {@code bootstrap.servers}
 * @param file properties of Kafka's clients, for TLS and SASL; null for none
 * @param topic where the shop's messages are published
 * @param replication how many replicas its topics have
 */
public record BrokerAccess(String servers, @Nullable Path file, String topic, int replication) {
    /** Where the relay keeps its position. */
    public static final String POSITIONS = "hapax-demo.positions";

    private static final String SERVERS = "--kafka=";
    private static final String FILE = "--kafka-properties=";
    private static final String TOPIC = "--topic=";
    private static final String REPLICATION = "--replication=";

    static boolean isOption(String option) {
        return option.startsWith(SERVERS)
                || option.startsWith(FILE)
                || option.startsWith(TOPIC)
                || option.startsWith(REPLICATION);
    }

    /** @return null if none of the options are among them */
    static @Nullable BrokerAccess of(List<String> options) {
        if (options.isEmpty()) {
            return null;
        }
        String file = value(options, FILE);
        return new BrokerAccess(
                value(options, SERVERS),
                file.isEmpty() ? null : Path.of(file),
                value(options, TOPIC),
                Integer.parseInt(value(options, REPLICATION)));
    }

    private static String value(List<String> options, String name) {
        return options.stream()
                .filter(option -> option.startsWith(name))
                .map(option -> option.substring(name.length()))
                .findFirst()
                .orElse("");
    }

    List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of(SERVERS + servers, TOPIC + topic, REPLICATION + replication));
        if (file != null) {
            arguments.add(FILE + file.toAbsolutePath());
        }
        return arguments;
    }

    /**
     * Reads the file.
     *
     * @return properties for any client
     * @throws UncheckedIOException if it can't be read
     */
    public Map<String, Object> properties() {
        Map<String, Object> all = new HashMap<>();
        if (file != null) {
            Properties given = new Properties();
            try (Reader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
                given.load(in);
            } catch (IOException failure) {
                throw new UncheckedIOException(file + " can't be read", failure);
            }
            given.stringPropertyNames().forEach(name -> all.put(name, given.getProperty(name)));
        }
        all.put("bootstrap.servers", servers);
        return all;
    }

    /** Properties for billing. */
    Map<String, Object> consumerProperties() {
        Map<String, Object> all = new HashMap<>();
        // The least that brokers allow unasked: billing processes are killed here, and their share is to be taken over
        // soon.
        all.put("session.timeout.ms", "6000");
        all.putAll(properties());
        return all;
    }
}
