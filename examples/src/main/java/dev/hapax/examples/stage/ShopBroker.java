package dev.hapax.examples.stage;

import dev.hapax.examples.shop.BillingWorker;
import dev.hapax.examples.shop.BrokerAccess;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** The Kafka of a run, and the topic in it: a broker of its own, or one of the user's. Used by one thread at a time, but for {@link #kill}. */
public final class ShopBroker implements AutoCloseable {
    private static final String FOLDER = "kafka";
    private static final String TOPIC = "orders.placed";
    private static final int PARTITIONS = 4;
    private static final int REPLICATION_MAX = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final long LOOK_MILLIS = 20;
    private static final int ANSWER_MILLIS = 15_000;

    private static final String NEXT =
            "SELECT partition, next_offset FROM hapax.kafka_position WHERE consumer = ? AND topic = ?";

    private final @Nullable EmbeddedKafka own;
    private final BrokerAccess access;
    private final Admin admin;
    private final List<TopicPartition> partitions;

    private ShopBroker(@Nullable EmbeddedKafka own, BrokerAccess access, Admin admin) {
        this.own = own;
        this.access = access;
        this.admin = admin;
        this.partitions = IntStream.range(0, PARTITIONS)
                .mapToObj(partition -> new TopicPartition(access.topic(), partition))
                .toList();
    }

    /**
     * Starts a broker in a process of its own.
     *
     * @param data where it is kept, in a folder of its own; null for one that is deleted at the end
     * @return the running broker, with an empty topic
     * @throws RunException if it doesn't start
     * @throws InterruptedException if this thread is interrupted
     */
    public static ShopBroker embedded(@Nullable Path data) throws InterruptedException {
        EmbeddedKafka kafka = start(data);
        try {
            return open(kafka, new BrokerAccess(kafka.bootstrapServers(), null, TOPIC, 1));
        } catch (RunException | InterruptedException failure) {
            kafka.close();
            throw failure;
        }
    }

    /**
     * Uses a broker that is there. The topic is a new one, since that of an earlier run would be counted with it; it stays.
     *
     * @param servers as {@code bootstrap.servers}
     * @param file properties of Kafka's clients; null for none
     * @return the broker, with an empty topic
     * @throws RunException if it can't be reached, or the topic can't be created
     * @throws InterruptedException if this thread is interrupted
     */
    public static ShopBroker at(String servers, @Nullable Path file) throws InterruptedException {
        String topic = TOPIC + "." + Long.toString(System.currentTimeMillis(), Character.MAX_RADIX);
        BrokerAccess first = new BrokerAccess(servers, file, topic, 1);
        try (Admin admin = admin(first)) {
            int brokers = get(admin.describeCluster().nodes(), "Kafka at " + servers + " can't be reached")
                    .size();
            return open(null, new BrokerAccess(servers, file, topic, Math.min(REPLICATION_MAX, brokers)));
        } catch (KafkaException | UncheckedIOException failure) {
            throw new RunException("Kafka at " + servers + " can't be used: " + reason(failure), failure);
        }
    }

    /**
     * Starts the broker that a run has kept, if it has.
     *
     * @param data where
     * @return the running broker, to be closed; null if none was kept
     * @throws RunException if it doesn't start
     */
    public static @Nullable EmbeddedKafka kept(Path data) {
        return isBroker(data.resolve(FOLDER)) ? start(data) : null;
    }

    private static boolean isBroker(Path folder) {
        return Files.exists(folder.resolve("meta.properties"));
    }

    /** Removes what an earlier run has kept: its records would be counted with those of the next. */
    static void discard(Path data) {
        Path folder = data.resolve(FOLDER);
        if (!isBroker(folder)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException failure) {
            throw new RunException("the broker of an earlier run, in " + folder + ", can't be removed", failure);
        }
    }

    private static EmbeddedKafka start(@Nullable Path data) {
        try {
            EmbeddedKafka.Builder builder = EmbeddedKafka.builder().inOwnProcess();
            return (data == null ? builder : builder.directory(data.resolve(FOLDER))).start();
        } catch (IllegalStateException | UncheckedIOException failure) {
            throw new RunException(reason(failure), failure);
        }
    }

    private static ShopBroker open(@Nullable EmbeddedKafka own, BrokerAccess access) throws InterruptedException {
        Admin admin = admin(access);
        try {
            createTopic(admin, access);
            return new ShopBroker(own, access, admin);
        } catch (RunException | InterruptedException failure) {
            admin.close(Duration.ZERO);
            throw failure;
        }
    }

    private static Admin admin(BrokerAccess access) {
        Map<String, Object> properties = access.properties();
        properties.putIfAbsent("request.timeout.ms", ANSWER_MILLIS);
        properties.putIfAbsent("default.api.timeout.ms", ANSWER_MILLIS);
        return Admin.create(properties);
    }

    private static void createTopic(Admin admin, BrokerAccess access) throws InterruptedException {
        String problem = "topic " + access.topic() + " can't be created";
        NewTopic topic = new NewTopic(access.topic(), PARTITIONS, (short) access.replication());
        if (access.replication() == REPLICATION_MAX) {
            topic.configs(Map.of("min.insync.replicas", "2"));
        }
        get(admin.createTopics(List.of(topic)).all(), problem);
        // The controller answers before all brokers have heard.
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!isThere(admin, access.topic())) {
            if (System.nanoTime() - deadline > 0) {
                throw new RunException(problem + ": it has no leader", null);
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        }
    }

    private static boolean isThere(Admin admin, String topic) throws InterruptedException {
        try {
            TopicDescription found = admin.describeTopics(List.of(topic))
                    .allTopicNames()
                    .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                    .get(topic);
            return found != null && found.partitions().stream().allMatch(partition -> partition.leader() != null);
        } catch (ExecutionException | TimeoutException failure) {
            if (failure.getCause() instanceof UnknownTopicOrPartitionException) {
                return false;
            }
            throw new RunException("topic " + topic + " can't be looked at: " + reason(failure), failure);
        }
    }

    private static <T> T get(KafkaFuture<T> asked, String problem) throws InterruptedException {
        try {
            return asked.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException failure) {
            throw new RunException(problem + ": " + reason(failure), failure);
        }
    }

    private static String reason(Exception failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return String.valueOf(cause.getMessage());
    }

    /** {@return how processes reach it} */
    public BrokerAccess access() {
        return access;
    }

    /** {@return whether it is the run's own, and may be killed} */
    public boolean isOwn() {
        return own != null;
    }

    /** Kills its process with SIGKILL, and starts it again on what it has left; returns when it takes requests. */
    public void kill() {
        if (own == null) {
            throw new IllegalStateException("the broker is the user's");
        }
        own.kill9();
        own.restart();
    }

    /**
     * How many records billing has still to do, about: the places that transactions take count until they are passed.
     *
     * @param connection to the database, where billing's position lies
     * @return how many
     * @throws SQLException if the database can't be asked
     * @throws RunException if the broker can't be asked
     * @throws InterruptedException if this thread is interrupted
     */
    long waiting(Connection connection) throws SQLException, InterruptedException {
        Map<Integer, Long> next = next(connection);
        long waiting = 0;
        for (Map.Entry<TopicPartition, ListOffsetsResultInfo> end : ends().entrySet()) {
            long done = next.getOrDefault(end.getKey().partition(), 0L);
            waiting += Math.max(0, end.getValue().offset() - done);
        }
        return waiting;
    }

    private Map<Integer, Long> next(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(NEXT)) {
            select.setString(1, BillingWorker.CONSUMER);
            select.setString(2, access.topic());
            Map<Integer, Long> next = new HashMap<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    next.put(row.getInt(1), row.getLong(2));
                }
            }
            return next;
        }
    }

    private Map<TopicPartition, ListOffsetsResultInfo> ends() throws InterruptedException {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        partitions.forEach(partition -> latest.put(partition, OffsetSpec.latest()));
        return get(
                admin.listOffsets(latest, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                        .all(),
                "topic " + access.topic() + " can't be looked at");
    }

    /**
     * Reads the topic from end to end, as a plain consumer does that reads committed records.
     *
     * @param orders what could be ordered
     * @param lines how many lines of it were ordered, from the first
     * @return what was found
     * @throws RunException if it can't be read
     */
    public Published published(OrderBook orders, int lines) {
        Map<String, Object> properties = new HashMap<>(access.properties());
        properties.put("isolation.level", "read_committed");
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        Published.Count count = new Published.Count(orders, lines);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            read(consumer, consumer.endOffsets(partitions), count);
        } catch (KafkaException failure) {
            throw new RunException("topic " + access.topic() + " can't be read: " + reason(failure), failure);
        }
        return count.result();
    }

    private static void read(
            KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends, Published.Count count) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (isBefore(consumer, ends)) {
            ConsumerRecords<byte[], byte[]> some = consumer.poll(POLL);
            some.forEach(record ->
                    count.add(record.value(), record.topic() + "-" + record.partition() + "@" + record.offset()));
            deadline = some.isEmpty() ? deadline : System.nanoTime() + PATIENCE.toNanos();
            if (System.nanoTime() - deadline > 0) {
                throw new RunException("the topic could not be read to its end within " + PATIENCE, null);
            }
        }
    }

    private static boolean isBefore(KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue());
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
        if (own != null) {
            own.close();
        }
    }
}
