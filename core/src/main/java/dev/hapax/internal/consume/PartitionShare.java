package dev.hapax.internal.consume;

import dev.hapax.internal.log.Lanes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/** A partition, or those keys of it that one worker has. The worker's own, but for what says otherwise. */
final class PartitionShare extends Share {

    static final long NOTHING_WAITS = Long.MAX_VALUE;

    final Partition partition;
    final SourceWorker worker;
    final int index;
    final int of;

    /** From the poller to the worker. */
    private final Queue<List<StreamMessage>> inbox = new ConcurrentLinkedQueue<>();

    private final Deque<StreamMessage> pending = new ArrayDeque<>();

    /** Is open until the worker no longer has the share. For many threads. */
    final CountDownLatch left = new CountDownLatch(1);

    /** When the oldest message that waits was published, in milliseconds since 1970. For many threads. */
    volatile long oldestMillis = NOTHING_WAITS;

    /** @param index which of how many parts of the partition */
    PartitionShare(Partition partition, SourceWorker worker, int index, int of) {
        super(partition.epoch);
        this.partition = partition;
        this.worker = worker;
        this.index = index;
        this.of = of;
    }

    /** Hands messages over; called by the poller. */
    void offer(List<StreamMessage> messages) {
        if (oldestMillis == NOTHING_WAITS) {
            oldestMillis = messages.getFirst().publishedAt().toEpochMilli();
        }
        inbox.add(messages);
    }

    /** Moves at most so many messages, in their order, to the end of the list. */
    void drainTo(List<ReadMessage> batch, int most) {
        int left = most;
        while (left > 0) {
            StreamMessage message = pending.poll();
            if (message == null) {
                List<StreamMessage> more = inbox.poll();
                if (more == null) {
                    return;
                }
                pending.addAll(more);
            } else {
                batch.add(message);
                left--;
            }
        }
    }

    /** Puts back one that was not handled; the last first. */
    void putBack(StreamMessage message) {
        pending.addFirst(message);
    }

    /** The worker has it no longer. */
    void leave() {
        left.countDown();
    }

    boolean hasMore() {
        return !pending.isEmpty() || !inbox.isEmpty();
    }

    void noteOldest() {
        StreamMessage first = pending.peek();
        if (first != null) {
            oldestMillis = first.publishedAt().toEpochMilli();
            return;
        }
        List<StreamMessage> next = inbox.peek();
        oldestMillis =
                next == null ? NOTHING_WAITS : next.getFirst().publishedAt().toEpochMilli();
    }

    /** The lanes under which its messages are held. */
    List<Integer> heldLanes() {
        List<Integer> lanes = new ArrayList<>();
        for (int place = index; place < Lanes.COUNT; place += of) {
            lanes.add(partition.row * Lanes.COUNT + place);
        }
        return lanes;
    }

    boolean holds(int heldLane) {
        return heldLane / Lanes.COUNT == partition.row && heldLane % Lanes.COUNT % of == index;
    }
}
