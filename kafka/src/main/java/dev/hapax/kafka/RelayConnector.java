package dev.hapax.kafka;

import dev.hapax.internal.consume.LaneMark;
import dev.hapax.internal.consume.LogFeed;
import dev.hapax.internal.consume.RelayStore;
import dev.hapax.internal.consume.RelayStore.Kept;
import dev.hapax.kafka.KafkaRelay.Mode;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.kafka.clients.admin.TopicDescription;
import org.jspecify.annotations.Nullable;

/**
 * Makes a relay known to the broker, and finds out where it was.
 *
 * <p>The order makes it safe: first the lanes, then {@code initTransactions}, which fences whoever had them, and only then the reading of the positions: nothing can be added to them any more.
 */
final class RelayConnector implements AutoCloseable {

    private final RelaySettings settings;
    private final LogFeed feed;
    private final RelayStore store;
    private @Nullable TopicAdmin topics;

    RelayConnector(RelaySettings settings, LogFeed feed, RelayStore store) {
        this.settings = settings;
        this.feed = feed;
        this.store = store;
    }

    /**
     * A connection that publishes.
     *
     * @param marks of all lanes
     * @param published messages that had been set aside and were published, which the database may not know
     */
    record Connection(Output output, Collection<LaneMark> marks, List<UUID> published) {}

    /** The topics, as last asked for. */
    TopicAdmin topics() {
        TopicAdmin open = topics;
        if (open == null) {
            open = new TopicAdmin(settings.connection, settings.replication);
            topics = open;
        }
        return open;
    }

    Connection connect() throws SQLException {
        Map<Integer, LaneMark> marks = new TreeMap<>();
        feed.owned().forEach(mark -> marks.put(mark.lane(), mark));
        topics().forget();
        topics().check(settings.targets());
        Optional<Kept> kept = store.kept(settings.name);
        return settings.mode == Mode.EXACTLY_ONCE ? transactional(marks, kept) : acknowledged(marks, kept);
    }

    private Connection transactional(Map<Integer, LaneMark> marks, Optional<Kept> kept) throws SQLException {
        TopicDescription topic = topics().positions(settings.positionTopic);
        Kept here = new Kept(
                Mode.EXACTLY_ONCE.name(),
                topics().cluster(),
                settings.positionTopic,
                topic.topicId().toString());
        boolean knownHere = kept.isPresent() && kept.get().mode().equals(Mode.EXACTLY_ONCE.name());
        if (knownHere && !kept.get().equals(here)) {
            throw new UnsafeTopicException("the position of relay " + settings.name + " is kept in topic "
                    + kept.get().topic() + " (" + kept.get().topicId() + ") of cluster "
                    + kept.get().cluster()
                    + ", and this is topic " + here.topic() + " (" + here.topicId() + ") of cluster " + here.cluster()
                    + ". If the other one is lost, see ./hapax relay forget " + settings.name);
        }
        UUID log = store.logId();
        PositionTopic positions = new PositionTopic(
                settings.connection, settings.positionTopic, topic.partitions().size(), log, settings.name);
        Output output = settings.outputs.transactional(
                settings.producer,
                PositionTopic.transactionalId(log, settings.name),
                new Records(settings.topics),
                positions);
        try {
            PositionTopic.Left left = positions.read(topics().endOf(positions.partition()));
            if (knownHere) {
                checkWhole(marks, left.marks());
                marks.putAll(left.marks());
            } else {
                // In the other mode the database decided; else it is the first start, or one after the topic was lost.
                if (kept.isEmpty()) {
                    left.marks().values().forEach(mark -> marks.merge(mark.lane(), mark, RelayConnector::further));
                }
                output.publish(List.of(), List.copyOf(marks.values()), List.of(), () -> {});
                store.keep(settings.name, here);
            }
            return new Connection(output, marks.values(), left.published());
        } catch (SQLException | RuntimeException e) {
            output.close();
            throw e;
        }
    }

    private static LaneMark further(LaneMark one, LaneMark other) {
        return other.low() > one.low() || other.low() == one.low() && other.high() >= one.high() ? other : one;
    }

    /** The database's copy never runs ahead: if it does, the topic has lost records. */
    private void checkWhole(Map<Integer, LaneMark> stored, Map<Integer, LaneMark> left) {
        for (LaneMark copy : stored.values()) {
            LaneMark mark = left.get(copy.lane());
            if (mark == null || mark.low() < copy.low()) {
                throw new UnsafeTopicException("position topic " + settings.positionTopic + " has lost records: lane "
                        + copy.lane() + " is at " + copy.low() + " in the database's copy, which never runs ahead, and "
                        + (mark == null ? "nowhere" : "at " + mark.low())
                        + " there. To go on from the database's copy, see ./hapax relay forget " + settings.name);
            }
        }
    }

    /** The position is the database's. What the other mode had kept in the topic is no further than that, but for the last moments before a kill. */
    private Connection acknowledged(Map<Integer, LaneMark> marks, Optional<Kept> kept) throws SQLException {
        Kept here = new Kept(Mode.AT_LEAST_ONCE.name(), null, null, null);
        if (kept.isEmpty() || !kept.get().equals(here)) {
            store.keep(settings.name, here);
        }
        return new Connection(
                new AcknowledgedOutput(settings.producer, new Records(settings.topics)), marks.values(), List.of());
    }

    @Override
    public void close() {
        TopicAdmin open = topics;
        topics = null;
        if (open != null) {
            open.close();
        }
    }
}
