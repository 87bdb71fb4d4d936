package dev.hapax.internal.consume;

import dev.hapax.consume.Start;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.consume.source.SourceSession;
import dev.hapax.internal.consume.Assigned.State;
import dev.hapax.internal.consume.SourceStore.Known;
import dev.hapax.internal.consume.SourceStore.Taken;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes partitions in the database, and has them read from the position that lies there. Used by the poller's thread alone. */
final class SourceTakes {

    private static final Logger LOG = LoggerFactory.getLogger(SourceTakes.class);

    private final ConsumerSettings settings;
    private final SourceStore store;
    private final HeldStore held;
    private final List<SourceWorker> workers;

    SourceTakes(ConsumerSettings settings, SourceStore store, HeldStore held, List<SourceWorker> workers) {
        this.settings = settings;
        this.store = store;
        this.held = held;
        this.workers = workers;
    }

    /**
     * Takes those that are to be taken.
     *
     * @param of among how many workers each partition's keys are shared out
     */
    void take(Connection connection, SourceSession session, Collection<Assigned> all, int of) throws SQLException {
        List<Assigned> wanted = all.stream()
                .filter(a -> a.state() == State.FRESH || a.state() == State.AGAIN)
                .toList();
        if (wanted.isEmpty()) {
            return;
        }
        tellWhatOthersTold(session, wanted);
        Map<String, Optional<UUID>> identities = new HashMap<>();
        for (Assigned one : wanted) {
            // A topic that is not there (any more, or yet) is looked for again.
            Optional<UUID> identity = identities.computeIfAbsent(one.name.topic(), session::identity);
            if (identity.isPresent()) {
                create(connection, session, one.name, identity.get());
                take(connection, session, one, identity.get(), of);
            }
        }
    }

    private void tellWhatOthersTold(SourceSession session, List<Assigned> wanted) {
        List<SourcePartition> fresh = wanted.stream()
                .filter(a -> a.state() == State.FRESH)
                .map(a -> a.name)
                .toList();
        session.toldByOthers(fresh)
                .forEach((partition, number) -> LOG.warn(
                        "consumer {}: somebody else has set the group's offset of {} to {}; what counts is the position in the database, which ./hapax consumer seek changes",
                        settings.name(),
                        partition,
                        number));
    }

    /** Creates a topic's positions when the consumer meets it for the first time; those of partitions that were added later begin with their first record. */
    private void create(Connection connection, SourceSession session, SourcePartition wanted, UUID identity)
            throws SQLException {
        Known known = store.known(connection);
        if (known.has(wanted)) {
            return;
        }
        boolean isNewTopic = !known.partitions().containsKey(wanted.topic());
        Map<SourcePartition, Long> starts =
                new TreeMap<>(session.starts(wanted.topic(), isNewTopic ? start(known) : Start.BEGINNING));
        starts.keySet().removeIf(known::has);
        store.create(connection, wanted.topic(), identity, starts);
        if (isNewTopic) {
            LOG.info("consumer {} begins topic {} at {}", settings.name(), wanted.topic(), starts);
        } else {
            LOG.warn(
                    "consumer {}: partitions were added to topic {}; they are read from their beginning: {}. Keys whose messages now go there keep no order with their earlier ones",
                    settings.name(),
                    wanted.topic(),
                    starts);
        }
    }

    /** A topic that appears after the consumer was started for the first time is new to it from then on. */
    private Start start(Known known) {
        Instant since = known.since();
        return settings.start instanceof Start.Now && since != null ? Start.at(since) : settings.start;
    }

    private void take(Connection connection, SourceSession session, Assigned one, UUID identity, int of)
            throws SQLException {
        Taken taken = store.take(connection, one.name, identity, one.state() == State.FRESH);
        if (taken == null) {
            if (one.state() == State.AGAIN) {
                one.rest(State.LOST);
            }
            return;
        }
        if (taken.stopped() != null) {
            one.stopped(taken.partition(), null);
            LOG.warn("consumer {} does not read {}: {}", settings.name(), one.name, taken.stopped());
        } else if (!identity.equals(taken.identity())) {
            stopRecreated(one, taken.partition());
        } else {
            begin(connection, taken, of);
            session.begin(one.name, taken.partition().next.get());
            one.reading(taken.partition(), identity);
            LOG.debug("consumer {} reads {}", settings.name(), taken.partition());
        }
    }

    private void stopRecreated(Assigned one, Partition taken) {
        String why = recreated(one.name, taken.next.get());
        one.stopped(taken, why);
        LOG.error("consumer {} stops {}: {}", settings.name(), one.name, why);
    }

    static String recreated(SourcePartition partition, long next) {
        return "topic " + partition.topic()
                + " was deleted and made anew: offset " + next
                + " of the position belongs to the one that is gone. Say where to go on: ./hapax consumer seek";
    }

    private void begin(Connection connection, Taken taken, int of) throws SQLException {
        Partition partition = taken.partition();
        for (int index = 0; index < of; index++) {
            PartitionShare share = new PartitionShare(partition, leastBusy(), index, of);
            share.heldKeys.addAll(held.keys(connection, share.heldLanes()));
            share.suspects = taken.deaths() >= settings.quarantineAfter ? settings.batch : 0;
            partition.shares.add(share);
            share.worker.take(share);
        }
    }

    private SourceWorker leastBusy() {
        SourceWorker least = workers.getFirst();
        for (SourceWorker worker : workers) {
            if (least.isOver() || !worker.isOver() && worker.load() < least.load()) {
                least = worker;
            }
        }
        return least;
    }
}
