package dev.hapax.internal.consume;

import dev.hapax.consume.source.SourcePartition;
import dev.hapax.internal.log.Lanes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A partition of a source, from the time that this process took it until it goes, or is taken anew. What changes is either the poller's own, or safe for use by many threads.
 */
final class Partition {

    final SourcePartition name;

    /** Of its position. */
    final int row;

    /** Its fencing token: grows with each owner. */
    final long epoch;

    /** What was done above the position when it was taken, out of order: it is not handed out again. */
    final Ranges done;

    final List<PartitionShare> shares = new ArrayList<>();

    /** All below it is done and committed. */
    final AtomicLong next;

    /** How many bytes wait to be handled. */
    final AtomicLong queuedBytes = new AtomicLong();

    /** Above the last number that was handed to a worker. The poller's own. */
    long handed;

    /** Whether it is not read, since too much waits. */
    volatile boolean paused;

    /** The end of the partition, as last seen. */
    volatile long end;

    /** Where the row of the position was left in its table; it may be wrong, and then nothing is found there. */
    @Nullable
    volatile String place;

    /** @param done an {@code int8multirange}, as it is stored */
    Partition(SourcePartition name, int row, long epoch, long next, String done) {
        this.name = name;
        this.row = row;
        this.epoch = epoch;
        this.next = new AtomicLong(next);
        this.handed = next;
        this.done = Ranges.parse(done);
    }

    /** Under which lane messages of a key are held. */
    static int heldLane(int row, String messageKey) {
        return row * Lanes.COUNT + Lanes.of(messageKey);
    }

    /** The share in which the messages of a key are. */
    PartitionShare shareOf(String messageKey) {
        int count = shares.size();
        return count == 1 ? shares.getFirst() : shares.get(Lanes.of(messageKey) % count);
    }

    /** Asks its workers to leave it. */
    void leave() {
        shares.forEach(share -> share.worker.leave(share));
    }

    boolean isLeft() {
        return shares.stream().allMatch(share -> share.left.getCount() == 0);
    }

    @Override
    public String toString() {
        return name + " from " + next + " on, epoch " + epoch;
    }
}
