package dev.hapax.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** What a relay asks about topics, and what it demands of them. Used by one thread. */
final class TopicAdmin implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Duration CREATED_WITHIN = Duration.ofSeconds(10);

    /** From so many replicas on, one of them may be gone without a record being gone with it. */
    private static final int REPLICAS_OF_WHICH_TWO = 3;

    private static final Map<String, String> POSITIONS = Map.of(
            TopicConfig.CLEANUP_POLICY_CONFIG,
            TopicConfig.CLEANUP_POLICY_COMPACT,
            // A segment is compacted when the next one has begun: small ones keep the reading at a start short.
            TopicConfig.SEGMENT_BYTES_CONFIG,
            Integer.toString(4 << 20),
            TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG,
            "0.1");

    private final Admin admin;
    private final int replication;
    private final Set<String> known = new HashSet<>();

    TopicAdmin(Map<String, Object> connection, int replication) {
        Map<String, Object> properties = new HashMap<>(connection);
        properties.put("request.timeout.ms", (int) PATIENCE.toMillis());
        properties.put("default.api.timeout.ms", (int) PATIENCE.toMillis());
        this.admin = Admin.create(properties);
        this.replication = replication;
    }

    /** The broker's own name for its cluster. */
    String cluster() {
        return get(admin.describeCluster().clusterId());
    }

    /** Whether the topic is there; asked once, until {@link #forget}. A topic that is there and unsafe is refused. */
    boolean isThere(String topic) {
        if (known.contains(topic)) {
            return true;
        }
        Optional<TopicDescription> description = describe(topic);
        description.ifPresent(found -> {
            demand(found, Optional.empty());
            known.add(topic);
        });
        return description.isPresent();
    }

    /** A send has failed: perhaps because a topic was deleted. */
    void forget() {
        known.clear();
    }

    /** Refuses those of the topics that are there and unsafe. */
    void check(Collection<String> topics) {
        topics.forEach(this::isThere);
    }

    /** The position topic, created if it isn't there. */
    TopicDescription positions(String topic) {
        Optional<TopicDescription> description = describe(topic);
        if (description.isEmpty()) {
            Map<String, String> configuration = new HashMap<>(POSITIONS);
            if (replication >= REPLICAS_OF_WHICH_TWO) {
                configuration.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "2");
            }
            create(new NewTopic(topic, 1, (short) replication).configs(configuration));
            description = described(topic);
        }
        TopicDescription found = description.orElseThrow(
                () -> new KafkaException("topic " + topic + " was created and is not to be seen yet"));
        demand(found, Optional.of(TopicConfig.CLEANUP_POLICY_COMPACT));
        return found;
    }

    private void create(NewTopic topic) {
        try {
            get(admin.createTopics(List.of(topic)).all());
        } catch (TopicExistsException e) {
            // Another process was faster.
            return;
        } catch (org.apache.kafka.common.errors.InvalidReplicationFactorException e) {
            throw new UnsafeTopicException("topic " + topic.name() + " can't be created with " + replication
                    + " replicas (" + e.getMessage() + "); start more brokers, or ask for fewer with replication(…)");
        }
    }

    /** The controller has created it; the broker that is asked may learn of it a moment later. */
    private Optional<TopicDescription> described(String topic) {
        long tries = CREATED_WITHIN.toMillis() / 20;
        for (int i = 0; i < tries; i++) {
            Optional<TopicDescription> description = describe(topic);
            if (description.isPresent()
                    && description.get().partitions().stream().allMatch(p -> p.leader() != null)) {
                return description;
            }
            pause();
        }
        return Optional.empty();
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new org.apache.kafka.common.errors.InterruptException(e);
        }
    }

    private Optional<TopicDescription> describe(String topic) {
        try {
            return Optional.of(
                    get(admin.describeTopics(List.of(topic)).topicNameValues().get(topic)));
        } catch (UnknownTopicOrPartitionException | InvalidTopicException e) {
            return Optional.empty();
        }
    }

    /** Refuses a topic that can lose what it has acknowledged. */
    private void demand(TopicDescription topic, Optional<String> cleanup) {
        String name = topic.name();
        int replicas = topic.partitions().stream()
                .mapToInt(p -> p.replicas().size())
                .min()
                .orElse(0);
        if (replicas < replication) {
            throw new UnsafeTopicException("topic " + name + " has " + replicas + " replicas; at least " + replication
                    + " are asked for (replication(…)): with fewer, an acknowledged record is lost with its brokers");
        }
        Config config = configOf(name);
        if (replication >= REPLICAS_OF_WHICH_TWO && number(config, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG) < 2) {
            throw new UnsafeTopicException("topic " + name + " has min.insync.replicas = 1; 2 or more is needed with "
                    + replication + " replicas: a record would be acknowledged when one broker alone has it");
        }
        if (value(config, TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG).equals("true")) {
            throw new UnsafeTopicException(
                    "topic " + name
                            + " has unclean.leader.election.enable = true; it must be false: a broker that lacks acknowledged records could become the leader");
        }
        String policy = value(config, TopicConfig.CLEANUP_POLICY_CONFIG);
        if (cleanup.isPresent() && !policy.equals(cleanup.get())) {
            throw new UnsafeTopicException(
                    "position topic " + name + " has cleanup.policy = " + policy + "; it must be " + cleanup.get()
                            + ": positions that are older than its retention would be deleted");
        }
    }

    private Config configOf(String topic) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return get(admin.describeConfigs(List.of(resource)).values().get(resource));
    }

    private static String value(Config config, String name) {
        ConfigEntry entry = config.get(name);
        return entry == null || entry.value() == null ? "" : entry.value();
    }

    private static int number(Config config, String name) {
        String value = value(config, name);
        return value.isEmpty() ? 1 : Integer.parseInt(value);
    }

    /** The end of a partition, counting what open transactions have written. */
    long endOf(TopicPartition partition) {
        return get(admin.listOffsets(
                                Map.of(partition, OffsetSpec.latest()),
                                new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED))
                        .partitionResult(partition))
                .offset();
    }

    /** The ends of all partitions of the topics, as {@link #endOf}. */
    Map<TopicPartition, Long> endsOf(Collection<String> topics) {
        Map<TopicPartition, Long> ends = new HashMap<>();
        for (String topic : topics) {
            List<TopicPartition> partitions = new ArrayList<>();
            describe(topic)
                    .ifPresent(found ->
                            found.partitions().forEach(p -> partitions.add(new TopicPartition(topic, p.partition()))));
            partitions.forEach(partition -> ends.put(partition, endOf(partition)));
        }
        return ends;
    }

    /** @throws KafkaException what the broker, or the way to it, says */
    private static <T> T get(@Nullable KafkaFuture<T> asked) {
        KafkaFuture<T> future = Objects.requireNonNull(asked, "the client knows what it was asked for");
        try {
            return future.get(2 * PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new KafkaException(e.getCause());
        } catch (TimeoutException e) {
            throw new org.apache.kafka.common.errors.TimeoutException("the broker did not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new org.apache.kafka.common.errors.InterruptException(e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
