package dev.hapax.testkit.kafka;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/** One node that is broker and controller at once, in this JVM. Used by one thread. */
final class Broker {
    private static final String CONTROLLER = "CONTROLLER";
    /** A cluster of one node needs no identity of its own; data that was kept stays readable because it is always this. */
    private static final String CLUSTER = "hapax-testkit-cluster0";

    private final KafkaRaftServer server;

    private Broker(KafkaRaftServer server) {
        this.server = server;
    }

    /** Formats the directory if it is new, and returns when the broker takes requests. */
    static Broker start(Path directory, int port, int controllerPort, Map<String, String> settings) {
        Properties properties = properties(directory, port, controllerPort);
        properties.putAll(settings);
        try {
            new Formatter()
                    .setPrintStream(new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8))
                    .setClusterId(CLUSTER)
                    .setNodeId(1)
                    .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION)
                    .setControllerListenerName(CONTROLLER)
                    .setMetadataLogDirectory(directory.toString())
                    .addDirectory(directory.toString())
                    .setIgnoreFormatted(true)
                    .run();
            KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
            server.startup();
            return new Broker(server);
        } catch (Exception failure) {
            throw new IllegalStateException("Kafka did not start on " + directory + ", port " + port, failure);
        }
    }

    /** In order: the controller is told, so that the next start needn't wait for the old session to end. */
    void stop() {
        server.shutdown();
    }

    /** Beside the plain listener one whose clients are told another port than that on which it listens. */
    static Map<String, String> listeners(int port, int controllerPort, int behindPort, int toldPort) {
        String plain = "PLAINTEXT://127.0.0.1:" + port;
        return Map.of(
                "listeners",
                plain + ",PROXIED://127.0.0.1:" + behindPort + "," + CONTROLLER + "://127.0.0.1:" + controllerPort,
                "advertised.listeners",
                plain + ",PROXIED://127.0.0.1:" + toldPort,
                "listener.security.protocol.map",
                "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT," + CONTROLLER + ":PLAINTEXT");
    }

    private static Properties properties(Path directory, int port, int controllerPort) {
        Properties properties = new Properties();
        properties.put("process.roles", "broker,controller");
        properties.put("node.id", "1");
        properties.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
        properties.put("controller.listener.names", CONTROLLER);
        properties.put(
                "listeners", "PLAINTEXT://127.0.0.1:" + port + "," + CONTROLLER + "://127.0.0.1:" + controllerPort);
        properties.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + port);
        properties.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT," + CONTROLLER + ":PLAINTEXT");
        properties.put("log.dirs", directory.toString());
        properties.put("auto.create.topics.enable", "false");
        properties.put("offsets.topic.replication.factor", "1");
        properties.put("offsets.topic.num.partitions", "1");
        properties.put("transaction.state.log.replication.factor", "1");
        properties.put("transaction.state.log.min.isr", "1");
        properties.put("transaction.state.log.num.partitions", "1");
        properties.put("share.coordinator.state.topic.replication.factor", "1");
        properties.put("share.coordinator.state.topic.min.isr", "1");
        properties.put("share.coordinator.state.topic.num.partitions", "1");
        properties.put("group.initial.rebalance.delay.ms", "0");
        // One transaction right after another finds the markers of the last one still being written.
        properties.put("add.partitions.to.txn.retry.backoff.ms", "1");
        // After a kill the next start waits until the old session has ended; much shorter is too tight under load.
        properties.put("broker.session.timeout.ms", "4000");
        properties.put("broker.heartbeat.interval.ms", "500");
        properties.put("num.network.threads", "2");
        properties.put("num.io.threads", "4");
        properties.put("background.threads", "2");
        properties.put("log.cleaner.dedupe.buffer.size", "4194304");
        properties.put("log.retention.check.interval.ms", "60000");
        return properties;
    }
}
