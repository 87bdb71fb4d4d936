package dev.hapax.server.command;

import dev.hapax.consume.source.SourceException;
import dev.hapax.kafka.KafkaPlaces;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which Kafka. Secrets stand in the file, never among the arguments. */
final class KafkaOptions {

    @Option(
            names = "--kafka",
            order = 1,
            paramLabel = "HOST:PORT",
            description = "The brokers, several separated by commas: to ask what a topic holds.")
    private @Nullable String servers;

    @Option(
            names = "--kafka-properties",
            order = 2,
            paramLabel = "FILE",
            description = "Properties of Kafka's clients, for TLS and SASL.")
    private @Nullable Path file;

    boolean isGiven() {
        return servers != null;
    }

    /** Connects when it is first asked. */
    KafkaPlaces places(CommandSpec spec) {
        if (servers == null) {
            throw new ParameterException(spec.commandLine(), "which Kafka? Give --kafka HOST:PORT");
        }
        Map<String, Object> properties = new HashMap<>();
        if (file != null) {
            properties.putAll(read(spec, file));
        }
        properties.put("bootstrap.servers", servers);
        try {
            return KafkaPlaces.at(properties);
        } catch (SourceException e) {
            throw new Problem(String.valueOf(e.getMessage()));
        }
    }

    private static Map<String, Object> read(CommandSpec spec, Path file) {
        Properties given = new Properties();
        try (Reader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            given.load(in);
        } catch (IOException | IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--kafka-properties can't be read: " + e);
        }
        Map<String, Object> all = new HashMap<>();
        given.stringPropertyNames().forEach(name -> all.put(name, given.getProperty(name)));
        return all;
    }
}
