package dev.hapax.internal.consume;

import dev.hapax.consume.source.Source;
import dev.hapax.consume.source.SourceAssignments;
import dev.hapax.consume.source.SourceBatch;
import dev.hapax.consume.source.SourceException;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.consume.source.SourceRecord;
import dev.hapax.consume.source.SourceSession;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.consume.Assigned.State;
import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a source, and hands its records to workers. It is the only one that talks to the broker, and the only one that takes and gives back partitions. One call of {@link #step} is one round.
 *
 * <p>The order that makes it safe:
 *
 * <ul>
 *   <li>A partition is taken in the database (its epoch grows) before its first record is handled, and read from the position that lies there then. What the broker was told counts for nothing.
 *   <li>A worker's transaction carries the epoch under which its records were read. What a worker still does after another process, an operator or this poller has taken the partition anew is rolled
 *       back.
 *   <li>A partition that goes to another process is first left by its workers. A batch that takes too long for that is rolled back, since giving back makes the epoch grow as well.
 *   <li>A partition that another process took over without the broker's word is taken back only after the broker has confirmed, after that, that this process is a member. So a process that was
 *       cut off or asleep can't take back what it has lost.
 *   <li>Records are handed over after it was looked, once they had been read, what their topic is: one that was deleted and made anew has another identity.
 * </ul>
 */
final class SourcePoller implements Runnable, SourceAssignments {

    private static final Logger LOG = LoggerFactory.getLogger(SourcePoller.class);

    private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final Duration CONFIRM_WITHIN = Duration.ofSeconds(2);
    private static final long TROUBLE_MILLIS_MAX = 1_000;
    private static final long LEAVE_AFTER_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final ConsumerGround ground;
    private final ConsumerSettings settings;
    private final Source source;
    private final SourceStore store;
    private final SourceTakes takes;
    private final PositionStore members;
    private final SourceFlow flow;
    private final List<SourceWorker> workers;
    private final Map<SourcePartition, Assigned> assigned = new TreeMap<>();
    private final Queue<Partition> retakes = new ConcurrentLinkedQueue<>();
    private final Semaphore stop = new Semaphore(0);
    private volatile @Nullable SourceSession session;
    private volatile boolean stopping;
    private volatile long handOverNanos;
    private boolean joined;
    private boolean sourceTrouble;
    private boolean databaseTrouble;
    private int shared = 1;
    private long secondNanos;
    private long databaseRetryNanos;
    private long databaseSeenNanos;

    /** @param workers those of this process; all are there before the first step */
    SourcePoller(
            ConsumerGround ground,
            ConsumerSettings settings,
            Source source,
            SourceStore store,
            PositionStore members,
            List<SourceWorker> workers) {
        this.ground = ground;
        this.settings = settings;
        this.source = source;
        this.store = store;
        this.members = members;
        this.workers = workers;
        this.takes = new SourceTakes(settings, store, new SourceHeld(settings.name(), source), workers);
        this.flow = new SourceFlow(source.readAheadBytes());
        this.handOverNanos = settings.lease.toNanos();
        long now = SystemSource.INSTANCE.nanos();
        this.secondNanos = now - SECOND_NANOS;
        this.databaseRetryNanos = now;
        this.databaseSeenNanos = now;
    }

    /** Asks for a partition to be taken anew. For workers. */
    void retake(Partition partition) {
        retakes.add(partition);
        wake();
    }

    /** Says that messages of a partition were handled. For workers. */
    void room(Partition partition) {
        if (flow.hasRoomAgain(partition)) {
            wake();
        }
    }

    private void wake() {
        SourceSession current = session;
        if (current != null) {
            current.wake();
        }
    }

    SourceFlow flow() {
        return flow;
    }

    /** @param within how long batches that are in flight may take */
    void stop(Duration within) {
        handOverNanos = within.toNanos();
        stopping = true;
        stop.release();
        wake();
    }

    @Override
    public void run() {
        try {
            while (!stopping && !workers.stream().allMatch(Worker::isOver)) {
                safely();
            }
        } finally {
            end();
        }
    }

    private void safely() {
        try {
            step();
            if (sourceTrouble) {
                sourceTrouble = false;
                LOG.info("consumer {} reads its source again", settings.name());
            }
        } catch (SourceException e) {
            if (!sourceTrouble && !stopping) {
                LOG.warn("consumer {} can't read its source and tries again: {}", settings.name(), e.toString());
            }
            startOver();
        } catch (RuntimeException | Error e) {
            LOG.error("consumer {} failed in its own code and tries again", settings.name(), e);
            startOver();
        }
    }

    /** One round. */
    void step() {
        SourceSession current = open();
        leaveWhatIsToBeRetaken(current);
        assigned.values().forEach(Assigned::hasLeft);
        database(current);
        if (!joined) {
            // Nothing is read without a database.
            pause();
            return;
        }
        flow.control(current, reading());
        SourceBatch batch = current.poll(settings.idle);
        batch.missing().forEach((partition, why) -> stopReading(current, assigned.get(partition), why));
        if (!batch.records().isEmpty()) {
            handOver(current, batch.records());
        }
    }

    /** A round by hand that looks at the database whatever the time is; a failure is the caller's, but remembered as {@link #run} does. */
    void stepByHand(boolean second) {
        long now = SystemSource.INSTANCE.nanos();
        databaseRetryNanos = now;
        secondNanos = second ? now - SECOND_NANOS : now;
        try {
            step();
        } catch (RuntimeException e) {
            SourceSession current = session;
            session = null;
            joined = false;
            forgetAll();
            if (current != null) {
                current.close();
            }
            throw e;
        }
    }

    /** Whether something is assigned, all of it is read, and all that is there is done. By hand, between two rounds. */
    boolean isAtTheEnd() {
        SourceSession current = session;
        return current != null
                && !assigned.isEmpty()
                && assigned.values().stream().allMatch(one -> one.state() == State.STOPPED || isAtTheEnd(current, one));
    }

    private static boolean isAtTheEnd(SourceSession current, Assigned one) {
        Partition partition = one.current();
        return one.isReading()
                && partition != null
                && partition.queuedBytes.get() == 0
                && current.behind(one.name).orElse(1) == 0;
    }

    private SourceSession open() {
        SourceSession current = session;
        if (current == null) {
            current = source.open(settings.name(), this);
            session = current;
        }
        return current;
    }

    private List<Assigned> reading() {
        return assigned.values().stream().filter(Assigned::isReading).toList();
    }

    private void startOver() {
        sourceTrouble = true;
        SourceSession current = session;
        session = null;
        joined = false;
        forgetAll();
        if (current != null) {
            current.close();
        }
        pause();
    }

    private void pause() {
        try {
            if (stop.tryAcquire(SystemSource.INSTANCE.jitter(TROUBLE_MILLIS_MAX) + 50, TimeUnit.MILLISECONDS)) {
                stopping = true;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stopping = true;
        }
    }

    /** What this process has is no longer its own, as far as the broker goes; what its workers still commit is told apart by the epoch. */
    private void forgetAll() {
        for (Assigned one : assigned.values()) {
            leaveWorkers(one);
        }
        assigned.clear();
    }

    private static void leaveWorkers(Assigned one) {
        Partition partition = one.current();
        if (partition != null && one.isReading()) {
            partition.leave();
        }
    }

    // What the broker says, from inside a poll.

    @Override
    public void assigned(Collection<SourcePartition> partitions) {
        SourceSession current = open();
        for (SourcePartition partition : partitions) {
            current.hold(partition);
            assigned.put(partition, new Assigned(partition));
        }
    }

    @Override
    public void revoked(Collection<SourcePartition> partitions) {
        List<Partition> given = new ArrayList<>();
        for (SourcePartition partition : partitions) {
            Assigned one = assigned.remove(partition);
            Partition current = one == null ? null : one.current();
            if (one != null && current != null) {
                leaveWorkers(one);
                given.add(current);
            }
        }
        giveBack(given);
    }

    @Override
    public void lost(Collection<SourcePartition> partitions) {
        for (SourcePartition partition : partitions) {
            Assigned one = assigned.remove(partition);
            if (one != null) {
                leaveWorkers(one);
                LOG.info("consumer {} lost {}; nothing of it is committed here", settings.name(), partition);
            }
        }
    }

    private void giveBack(List<Partition> partitions) {
        if (partitions.isEmpty()) {
            return;
        }
        awaitLeft(partitions, SystemSource.INSTANCE.nanos() + handOverNanos);
        try {
            ground.connections().autoCommit(connection -> {
                for (Partition partition : partitions) {
                    store.release(connection, partition);
                }
                return partitions;
            });
        } catch (SQLException e) {
            LOG.info("consumer {} could not give {} back; they are taken over", settings.name(), partitions, e);
        }
        Map<SourcePartition, Long> next = new HashMap<>();
        partitions.forEach(partition -> next.put(partition.name, flow.acknowledged(partition)));
        SourceSession current = session;
        if (current != null) {
            current.confirm(next, CONFIRM_WITHIN);
        }
    }

    private void awaitLeft(List<Partition> partitions, long deadline) {
        try {
            for (Partition partition : partitions) {
                for (PartitionShare share : partition.shares) {
                    long left = Math.max(0, deadline - SystemSource.INSTANCE.nanos());
                    if (!share.left.await(left, TimeUnit.NANOSECONDS)) {
                        LOG.warn(
                                "consumer {} did not end its batch of {} in time; it is rolled back",
                                settings.name(),
                                partition.name);
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // What the database says.

    private void database(SourceSession current) {
        long now = SystemSource.INSTANCE.nanos();
        boolean second = now - secondNanos >= SECOND_NANOS;
        boolean wanted =
                assigned.values().stream().anyMatch(one -> one.state() == State.FRESH || one.state() == State.AGAIN);
        if (!(second || wanted) || now - databaseRetryNanos < 0) {
            return;
        }
        try {
            ground.connections().autoCommit(connection -> {
                if (second) {
                    everySecond(connection, current);
                }
                takes.take(connection, current, assigned.values(), shared);
                return connection;
            });
            secondNanos = second ? now : secondNanos;
            databaseSeenNanos = SystemSource.INSTANCE.nanos();
            if (databaseTrouble) {
                databaseTrouble = false;
                LOG.info("consumer {} goes on", settings.name());
            }
            if (!joined) {
                current.join();
                joined = true;
            }
        } catch (SQLException e) {
            withoutDatabase(current, e);
        }
    }

    /** Without its database a process is of no use to its group; after a while it leaves its partitions to others. */
    private void withoutDatabase(SourceSession current, SQLException e) {
        long now = SystemSource.INSTANCE.nanos();
        if (!databaseTrouble && !stopping) {
            LOG.warn("consumer {} can't reach its database and tries again: {}", settings.name(), e.toString());
        }
        databaseTrouble = true;
        databaseRetryNanos = now + TimeUnit.MILLISECONDS.toNanos(SystemSource.INSTANCE.jitter(TROUBLE_MILLIS_MAX) + 50);
        if (joined && now - databaseSeenNanos > LEAVE_AFTER_NANOS) {
            LOG.warn("consumer {} leaves its partitions to others until its database can be reached", settings.name());
            forgetAll();
            current.leave();
            joined = false;
        }
    }

    private void everySecond(Connection connection, SourceSession current) throws SQLException {
        members.join(connection);
        for (Assigned one : assigned.values()) {
            Partition partition = one.current();
            String untold = one.untold();
            if (one.state() == State.STOPPED && partition != null && untold != null) {
                store.stop(connection, partition, untold);
                one.told();
            }
        }
        Map<SourcePartition, SourceStore.Row> rows = store.rows(connection);
        for (Assigned one : assigned.values()) {
            compare(current, one, rows.get(one.name));
        }
        share(current);
        flow.everySecond(connection, current, reading(), store);
    }

    private void compare(SourceSession current, Assigned one, SourceStore.@Nullable Row row) {
        Partition partition = one.current();
        switch (one.state()) {
            case READING -> {
                if (partition != null && (row == null || row.epoch() != partition.epoch)) {
                    // Still ours: an operator has moved it.
                    leave(current, one, row != null && row.ours() ? State.AGAIN : State.LOST);
                }
            }
            case STOPPED -> {
                if (row == null || !row.stopped()) {
                    one.rest(State.FRESH);
                }
            }
            case LOST -> {
                ground.metrics().fenced(settings.name());
                long next = row == null ? 0 : row.next();
                if (current.confirm(Map.of(one.name, next), CONFIRM_WITHIN)) {
                    one.rest(State.FRESH);
                }
            }
            case FRESH, AGAIN, LEAVING -> {}
        }
    }

    /** Shares the keys of each partition out among workers, where there are fewer partitions than these. */
    private void share(SourceSession current) {
        long read = assigned.values().stream()
                .filter(one -> one.state() != State.LOST && one.state() != State.STOPPED)
                .count();
        int wanted = read == 0 ? shared : Math.clamp(settings.concurrency / read, 1, Lanes.COUNT);
        if (wanted != shared) {
            shared = wanted;
            reading().forEach(one -> leave(current, one, State.AGAIN));
        }
    }

    private void leaveWhatIsToBeRetaken(SourceSession current) {
        for (Partition partition = retakes.poll(); partition != null; partition = retakes.poll()) {
            Assigned one = assigned.get(partition.name);
            if (one != null && one.current() == partition && one.isReading()) {
                leave(current, one, State.AGAIN);
            }
        }
    }

    private void leave(SourceSession current, Assigned one, State then) {
        current.hold(one.name);
        leaveWorkers(one);
        one.leave(then);
    }

    // What was read.

    private void stopReading(SourceSession current, @Nullable Assigned one, String why) {
        if (one == null || !one.isReading()) {
            return;
        }
        LOG.error("consumer {} stops {}: {}", settings.name(), one.name, why);
        current.hold(one.name);
        leaveWorkers(one);
        one.stop(why);
    }

    private void handOver(SourceSession current, List<? extends SourceRecord> records) {
        if (!isSameTopics(current, records)) {
            return;
        }
        Map<PartitionShare, List<StreamMessage>> messages = new HashMap<>();
        for (SourceRecord record : records) {
            Partition partition = readingOf(record);
            if (partition == null || partition.done.contains(record.number())) {
                continue;
            }
            PartitionShare share =
                    partition.shares.size() == 1 ? partition.shares.getFirst() : partition.shareOf(record.messageKey());
            StreamMessage message = new StreamMessage(record, share, partition.handed);
            partition.handed = record.number() + 1;
            messages.computeIfAbsent(share, s -> new ArrayList<>()).add(message);
        }
        messages.forEach((share, list) -> {
            share.partition.queuedBytes.addAndGet(
                    list.stream().mapToLong(StreamMessage::size).sum());
            share.offer(list);
            share.worker.wake(true);
        });
    }

    private @Nullable Partition readingOf(SourceRecord record) {
        Assigned one = assigned.get(new SourcePartition(record.topic(), record.lane()));
        return one == null || !one.isReading() ? null : one.current();
    }

    /** Whether the records belong to the topics whose positions are ours. If that can't be found out, they are read again. */
    private boolean isSameTopics(SourceSession current, List<? extends SourceRecord> records) {
        Map<String, Optional<UUID>> identities = new HashMap<>();
        try {
            for (SourceRecord record : records) {
                if (!identities.containsKey(record.topic())) {
                    identities.put(record.topic(), current.identity(record.topic()));
                }
            }
        } catch (SourceException e) {
            LOG.info(
                    "consumer {} could not look what its topics are, and reads again: {}",
                    settings.name(),
                    e.toString());
            reading().forEach(one -> readAgain(current, one));
            return false;
        }
        boolean same = true;
        for (Assigned one : reading()) {
            Optional<UUID> identity = identities.get(one.name.topic());
            Partition partition = one.current();
            if (identity != null && partition != null && !identity.equals(Optional.ofNullable(one.identity()))) {
                stopReading(current, one, SourceTakes.recreated(one.name, partition.next.get()));
                same = false;
            }
        }
        if (!same) {
            reading().forEach(one -> readAgain(current, one));
        }
        return same;
    }

    private static void readAgain(SourceSession current, Assigned one) {
        Partition partition = one.current();
        if (partition != null) {
            current.begin(one.name, partition.handed);
            partition.paused = false;
        }
    }

    /** Gives all back, and leaves. */
    void end() {
        try {
            revoked(List.copyOf(assigned.keySet()));
        } finally {
            SourceSession current = session;
            session = null;
            if (current != null) {
                current.close();
            }
        }
        try {
            ground.connections().autoCommit(connection -> {
                members.leave(connection);
                return connection;
            });
        } catch (SQLException e) {
            LOG.info("consumer {} could not say that it leaves: {}", settings.name(), e.toString());
        }
    }
}
