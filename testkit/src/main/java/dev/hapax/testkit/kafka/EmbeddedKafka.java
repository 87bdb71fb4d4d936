package dev.hapax.testkit.kafka;

import dev.hapax.testkit.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka broker for tests and demonstrations: one node, broker and KRaft controller at once, on the loopback interface only.
 *
 * <p>Topics are not created by being used. Everything internal has one replica and one partition, and transactions may follow each other without a pause.
 *
 * <p>It runs in this JVM, which starts quickest, or in one of its own ({@link Builder#inOwnProcess()}), which can be killed and frozen. It belongs to this JVM: it ends with it.
 *
 * <p>Thread-safe.
 */
public final class EmbeddedKafka implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofMinutes(3);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(30);

    /** Below the range from which systems take ports for outgoing connections: a client that tries to reach a broker that is down could else take its port, and meet itself. */
    private static final int PORT_MIN = 15_000;

    private static final int PORTS = 15_000;
    private static final AtomicInteger NEXT_PORT =
            new AtomicInteger((int) (ProcessHandle.current().pid() * 131));

    private final ReentrantLock lock = new ReentrantLock();
    private final Path directory;
    private final boolean kept;
    private final boolean ownProcess;
    private final int port;
    private final int controllerPort;
    private final int behindPort;
    private final Map<String, String> settings;
    private final Thread lastGuard = new Thread(this::stopAndClean, "hapax-testkit-kafka-guard");
    private @Nullable Broker broker;
    private @Nullable ChildJvm process;
    private @Nullable Admin admin;
    private boolean closed;

    private EmbeddedKafka(Builder builder, Path directory, int port) {
        this.directory = directory;
        this.kept = builder.directory != null;
        this.ownProcess = builder.ownProcess;
        this.port = port;
        this.controllerPort = freePort();
        this.behindPort = builder.proxyPort == 0 ? 0 : freePort();
        Map<String, String> all = new LinkedHashMap<>();
        if (behindPort != 0) {
            all.putAll(Broker.listeners(port, controllerPort, behindPort, builder.proxyPort));
        }
        all.putAll(builder.settings);
        this.settings = Map.copyOf(all);
    }

    /**
     * Describes a broker.
     *
     * @return a builder, not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts a broker in this JVM, on a fresh directory that is deleted when it is closed.
     *
     * @return the running broker
     * @throws IllegalStateException if it doesn't start
     */
    public static EmbeddedKafka start() {
        return builder().start();
    }

    /**
     * The one broker that the tests of this JVM share; started by the first call, stopped when the JVM ends. Use topics of your own, and don't stop it: tests that kill a broker start their
     * own.
     *
     * @return the running broker
     * @throws IllegalStateException if it doesn't start
     */
    public static EmbeddedKafka shared() {
        return Shared.INSTANCE;
    }

    /** {@return what clients are given as {@code bootstrap.servers}; the same after {@link #restart()}} */
    public String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    /** {@return the port on the loopback interface; the same after {@link #restart()}} */
    public int port() {
        return port;
    }

    /**
     * {@return the port behind the proxy of {@link Builder#behindProxy}, to which it is to forward}
     *
     * @throws IllegalStateException if there is none
     */
    public int portBehindProxy() {
        if (behindPort == 0) {
            throw new IllegalStateException("Kafka on " + directory + " has no proxy; see behindProxy(…)");
        }
        return behindPort;
    }

    /** {@return where its data lies} */
    public Path directory() {
        return directory;
    }

    /**
     * Creates a topic with one replica.
     *
     * @param name its name
     * @param partitions 1 or more
     * @throws IllegalStateException if it can't be created, for example because it is there
     */
    public void createTopic(String name, int partitions) {
        createTopic(name, partitions, Map.of());
    }

    /**
     * Creates a topic with one replica, and returns when it can be used.
     *
     * @param name its name
     * @param partitions 1 or more
     * @param configuration as Kafka names it, for example {@code cleanup.policy}
     * @throws IllegalStateException if it can't be created, for example because it is there
     */
    public void createTopic(String name, int partitions, Map<String, String> configuration) {
        try {
            admin().createTopics(List.of(
                            new NewTopic(name, Optional.of(partitions), Optional.of((short) 1)).configs(configuration)))
                    .all()
                    .get(ADMIN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            untilTold(name, configuration);
        } catch (ExecutionException | TimeoutException failure) {
            throw new IllegalStateException("could not create topic " + name, failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while topic " + name + " was created", interrupted);
        }
    }

    /** The controller answers before the broker has heard: a topic is usable when the broker tells its configuration. */
    private void untilTold(String name, Map<String, String> configuration)
            throws ExecutionException, InterruptedException, TimeoutException {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, name);
        long deadline = System.nanoTime() + ADMIN_TIMEOUT.toNanos();
        while (!tells(topic, configuration)) {
            if (System.nanoTime() > deadline) {
                throw new TimeoutException("the broker knows no configuration of it");
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    private boolean tells(ConfigResource topic, Map<String, String> configuration)
            throws ExecutionException, InterruptedException, TimeoutException {
        try {
            Config told = admin().describeConfigs(List.of(topic))
                    .all()
                    .get(ADMIN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                    .get(topic);
            return told != null
                    && configuration.entrySet().stream().allMatch(wanted -> {
                        ConfigEntry entry = told.get(wanted.getKey());
                        return entry != null && wanted.getValue().equals(entry.value());
                    });
        } catch (ExecutionException failure) {
            if (failure.getCause() instanceof UnknownTopicOrPartitionException) {
                return false;
            }
            throw failure;
        }
    }

    /** {@return a client for administration; closed with this} */
    public Admin admin() {
        lock.lock();
        try {
            if (admin == null) {
                admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers()));
            }
            return admin;
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether it runs; a frozen one does} */
    public boolean isRunning() {
        lock.lock();
        try {
            return broker != null || (process != null && process.isAlive());
        } finally {
            lock.unlock();
        }
    }

    /** Stops it in order; {@link #restart()} brings it back. */
    public void stop() {
        lock.lock();
        try {
            if (broker != null) {
                broker.stop();
                broker = null;
            }
            if (process != null) {
                process.terminate();
                process.awaitExit(STOP_TIMEOUT);
                process = null;
            }
        } catch (TimeoutException failure) {
            throw new IllegalStateException("Kafka on " + directory + " did not stop", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while Kafka was stopped", interrupted);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Kills its process with SIGKILL and waits until it is gone. {@link #restart()} recovers it, which takes some seconds: the old session has to end first.
     *
     * @throws IllegalStateException if it runs in this JVM, or not at all
     */
    public void kill9() {
        lock.lock();
        try {
            own().kill9();
            process = null;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Freezes its process (SIGSTOP): connections stay, and nothing answers.
     *
     * @throws IllegalStateException if it runs in this JVM, or not at all
     */
    public void sigstop() {
        own().sigstop();
    }

    /**
     * Wakes it from {@link #sigstop()}.
     *
     * @throws IllegalStateException if it runs in this JVM, or not at all
     */
    public void sigcont() {
        own().sigcont();
    }

    private ChildJvm own() {
        lock.lock();
        try {
            if (process == null) {
                throw new IllegalStateException("Kafka on " + directory
                        + (ownProcess ? " is not running" : " runs in this JVM; see inOwnProcess()"));
            }
            return process;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Starts it again on its data and port; stops it first if it runs.
     *
     * @throws IllegalStateException if it doesn't start, or this is closed
     */
    public void restart() {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("Kafka on " + directory + " is closed");
            }
            stop();
            startBroker();
        } finally {
            lock.unlock();
        }
    }

    private void startBroker() {
        if (!ownProcess) {
            broker = Broker.start(directory, port, controllerPort, settings);
            return;
        }
        List<String> arguments = new ArrayList<>(
                List.of(directory.toString(), Integer.toString(port), Integer.toString(controllerPort)));
        settings.forEach((name, value) -> arguments.add(name + "=" + value));
        ChildJvm child = ChildJvm.of(BrokerMain.class)
                .name("kafka-" + port)
                .heap(256)
                .arguments(arguments.toArray(String[]::new))
                .start();
        process = child;
        try {
            child.awaitLine(BrokerMain.READY, START_TIMEOUT);
        } catch (TimeoutException failure) {
            throw new IllegalStateException("Kafka did not start on " + directory, failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while Kafka was started", interrupted);
        }
    }

    private void begin() {
        Runtime.getRuntime().addShutdownHook(lastGuard);
        lock.lock();
        try {
            startBroker();
        } catch (RuntimeException failure) {
            close();
            throw failure;
        } finally {
            lock.unlock();
        }
    }

    /** Stops it, and deletes its directory unless the builder was told one. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (!closed) {
                Runtime.getRuntime().removeShutdownHook(lastGuard);
                stopAndClean();
            }
        } finally {
            lock.unlock();
        }
    }

    private void stopAndClean() {
        lock.lock();
        try {
            closed = true;
            if (admin != null) {
                admin.close(Duration.ofSeconds(1));
                admin = null;
            }
            if (kept) {
                stop();
            } else {
                discard();
                deleteTree(directory);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException("could not clean up " + directory, failure);
        } finally {
            lock.unlock();
        }
    }

    /** What is deleted anyway needs no orderly end. */
    private void discard() {
        if (process != null) {
            process.kill9();
            process = null;
        }
        stop();
    }

    private static void deleteTree(Path root) throws IOException {
        try (Stream<Path> tree = Files.walk(root)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static int freePort() {
        for (int tries = 0; tries < PORTS; tries++) {
            int candidate = PORT_MIN + Math.floorMod(NEXT_PORT.getAndIncrement(), PORTS);
            try (ServerSocket probe = new ServerSocket(candidate, 1, InetAddress.getByName("127.0.0.1"))) {
                return probe.getLocalPort();
            } catch (IOException taken) {
                continue;
            }
        }
        throw new IllegalStateException("no port is free between " + PORT_MIN + " and " + (PORT_MIN + PORTS));
    }

    @Override
    public String toString() {
        return "Kafka at " + bootstrapServers() + " on " + directory;
    }

    private static final class Shared {
        static final EmbeddedKafka INSTANCE = EmbeddedKafka.start();
    }

    /** Says how a broker is started. Not thread-safe. */
    public static final class Builder {
        private final Map<String, String> settings = new LinkedHashMap<>();
        private @Nullable Path directory;
        private boolean ownProcess;
        private int port;
        private int proxyPort;

        private Builder() {}

        /**
         * Keeps the data in a directory, and goes on with what is there; without it, the data is deleted at the end.
         *
         * @param newDirectory a directory, created if it isn't there
         * @return this
         */
        public Builder directory(Path newDirectory) {
            directory = newDirectory;
            return this;
        }

        /**
         * Listens on a certain port; a free one by default.
         *
         * @param newPort 1 to 65535
         * @return this
         */
        public Builder port(int newPort) {
            if (newPort < 1 || newPort > 65_535) {
                throw new IllegalArgumentException("port is " + newPort + "; allowed are 1 to 65535");
            }
            port = newPort;
            return this;
        }

        /**
         * Listens on a second port too, for clients that come by way of a proxy: they are told to come back to the proxy, and not to the broker itself. The proxy forwards to
         * {@link EmbeddedKafka#portBehindProxy()}; clients are given {@code 127.0.0.1:} and the proxy's port.
         * The listener's name is {@code PROXIED}, so that settings can secure it.
         *
         * @param newProxyPort the port that such clients connect to, 1 to 65535
         * @return this
         */
        public Builder behindProxy(int newProxyPort) {
            if (newProxyPort < 1 || newProxyPort > 65_535) {
                throw new IllegalArgumentException("proxyPort is " + newProxyPort + "; allowed are 1 to 65535");
            }
            proxyPort = newProxyPort;
            return this;
        }

        /**
         * Runs it in a JVM of its own, on this one's class path, so that it can be killed and frozen.
         *
         * @return this
         */
        public Builder inOwnProcess() {
            ownProcess = true;
            return this;
        }

        /**
         * Sets a setting of the broker, as in {@code server.properties}.
         *
         * @param name the setting's name
         * @param value its value
         * @return this
         */
        public Builder setting(String name, String value) {
            settings.put(name, value);
            return this;
        }

        /**
         * Starts it.
         *
         * @return the running broker
         * @throws IllegalStateException if it doesn't start
         */
        public EmbeddedKafka start() {
            try {
                Path data = directory == null
                        ? Files.createTempDirectory("hapax-kafka")
                        : Files.createDirectories(directory.toAbsolutePath().normalize());
                EmbeddedKafka kafka = new EmbeddedKafka(this, data, port == 0 ? freePort() : port);
                kafka.begin();
                return kafka;
            } catch (IOException failure) {
                throw new UncheckedIOException("could not use a directory for Kafka", failure);
            }
        }
    }
}
