package dev.hapax.internal.consume;

import dev.hapax.consume.Consumer.Lag;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.consume.source.SourceSession;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.consume.SourceStore.Move;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Keeps what is read ahead within its bounds, and tells how far the readers are. Used by the poller's thread, but for what says otherwise. */
final class SourceFlow {

    private static final long READ_AHEAD_MIN = 64 << 10;

    private final long readAheadBytes;

    /** Up to where each partition is done, as the broker was told. For many threads. */
    private final Map<SourcePartition, Long> acknowledged = new ConcurrentHashMap<>();

    /** A partition that waits is read again below this. */
    private volatile long resumeBelow = READ_AHEAD_MIN / 2;

    private volatile Lag lag = new Lag(0, Duration.ZERO);

    SourceFlow(long readAheadBytes) {
        this.readAheadBytes = readAheadBytes;
    }

    /** As last measured. For many threads. */
    Lag lag() {
        return lag;
    }

    /** Whether a partition that is not read, since too much of it waits, could be. For many threads. */
    boolean hasRoomAgain(Partition partition) {
        return partition.paused && partition.queuedBytes.get() < resumeBelow;
    }

    /** Stops and resumes reading by what waits. */
    void control(SourceSession session, List<Assigned> reading) {
        if (reading.isEmpty()) {
            return;
        }
        long most = Math.max(READ_AHEAD_MIN, readAheadBytes / reading.size());
        resumeBelow = most / 2;
        List<SourcePartition> full = new ArrayList<>();
        List<SourcePartition> free = new ArrayList<>();
        for (Assigned one : reading) {
            Partition partition = one.current();
            if (partition == null) {
                continue;
            }
            if (!partition.paused && partition.queuedBytes.get() > most) {
                partition.paused = true;
                full.add(one.name);
            } else if (hasRoomAgain(partition)) {
                partition.paused = false;
                free.add(one.name);
            }
        }
        session.pause(full);
        session.resume(free);
    }

    void everySecond(Connection connection, SourceSession session, List<Assigned> reading, SourceStore store)
            throws SQLException {
        long behind = 0;
        long oldest = PartitionShare.NOTHING_WAITS;
        Map<SourcePartition, Long> told = new HashMap<>();
        for (Assigned one : reading) {
            Partition partition = one.current();
            if (partition == null) {
                continue;
            }
            long place = session.place(one.name);
            passEmpty(connection, partition, place, store);
            long next = partition.next.get();
            partition.end = place + session.behind(one.name).orElse(0);
            behind += Math.max(0, partition.end - next);
            for (PartitionShare share : partition.shares) {
                oldest = Math.min(oldest, share.oldestMillis);
            }
            if (next != acknowledged.getOrDefault(one.name, -1L)) {
                told.put(one.name, next);
            }
        }
        acknowledged.putAll(told);
        session.acknowledge(told);
        long age = oldest == PartitionShare.NOTHING_WAITS
                ? 0
                : SystemSource.INSTANCE.instant().toEpochMilli() - oldest;
        lag = new Lag(behind, Duration.ofMillis(Math.max(0, age)));
    }

    /** Numbers at the end that hold no record (where a transaction of the broker ended) are done when all before them is. */
    private static void passEmpty(Connection connection, Partition partition, long place, SourceStore store)
            throws SQLException {
        long next = partition.next.get();
        if (next == partition.handed && place > next && partition.queuedBytes.get() == 0) {
            Move move = new Move(partition);
            partition.done.addRest(next, place, move.ranges);
            // If it is no longer ours, the next look at the positions tells.
            if (store.move(connection, List.of(move))) {
                move.committed();
                partition.handed = Math.max(place, partition.next.get());
            }
        }
    }

    /** What the broker is to be told of a partition that is given back. */
    long acknowledged(Partition partition) {
        long next = partition.next.get();
        acknowledged.remove(partition.name);
        return next;
    }
}
