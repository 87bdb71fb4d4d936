package dev.hapax.internal.consume;

import dev.hapax.consume.source.Source;
import dev.hapax.internal.consume.Failures.Fenced;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Works through partitions of a source: handles what the poller hands over, and commits. */
final class SourceWorker extends Worker {

    private final Consumer<Partition> retakes;
    private final Consumer<Partition> room;
    private final HeldStore held;
    private final MessageRunner runner;
    private final List<PartitionShare> shares = new ArrayList<>();
    private final Queue<Order> orders = new ConcurrentLinkedQueue<>();
    private final AtomicInteger load = new AtomicInteger();
    private int rounds;
    private boolean more;
    private boolean byHand;

    /** What the poller asks for. */
    private record Order(PartitionShare share, boolean take) {}

    /**
     * @param retakes is told of partitions that must be taken anew
     * @param room is told of partitions of which messages were handled
     */
    SourceWorker(
            ConsumerGround ground,
            ConsumerSettings settings,
            SourceStore store,
            Consumer<Partition> retakes,
            Consumer<Partition> room) {
        super(ground, settings);
        this.retakes = retakes;
        this.room = room;
        this.held = new SourceHeld(settings.name(), source(settings));
        this.runner = new MessageRunner(ground, settings, new SourceProgress(store, shares), held, this::isOverdue);
    }

    private static Source source(ConsumerSettings settings) {
        Source source = settings.source;
        if (source == null) {
            throw new IllegalStateException("consumer " + settings.name() + " has no source");
        }
        return source;
    }

    /** How many shares it has. Safe for use by many threads. */
    int load() {
        return load.get();
    }

    void take(PartitionShare share) {
        load.incrementAndGet();
        orders.add(new Order(share, true));
        wake(true);
    }

    /** Asks for a share to be left; {@link PartitionShare#left} tells when it is. */
    void leave(PartitionShare share) {
        orders.add(new Order(share, false));
        if (byHand) {
            obey();
        } else {
            wake(true);
        }
    }

    /** It has no thread of its own: who asks for a share to be left is on the only one. */
    void driveByHand() {
        byHand = true;
    }

    @Override
    boolean hasMore() {
        return more;
    }

    @Override
    boolean waitsForOthers() {
        return false;
    }

    @Override
    MessageRunner runner() {
        return runner;
    }

    @Override
    void lostSight() {
        shares.forEach(share -> retakes.accept(share.partition));
        dropAll();
    }

    private void dropAll() {
        shares.forEach(PartitionShare::leave);
        load.addAndGet(-shares.size());
        shares.clear();
    }

    @Override
    void giveAllBack() {
        obey();
        if (isStopping()) {
            dropAll();
        } else {
            lostSight();
        }
    }

    @Override
    Collection<PartitionShare> shares() {
        return shares;
    }

    @Override
    Collection<Integer> heldLanes() {
        return shares.stream().flatMap(share -> share.heldLanes().stream()).toList();
    }

    @Override
    @Nullable
    Share shareOf(ReadMessage message) {
        for (PartitionShare share : shares) {
            if (share.holds(message.heldLane())) {
                return share;
            }
        }
        return null;
    }

    @Override
    void fenced(Connection connection) {
        lostSight();
    }

    @Override
    int step() throws SQLException {
        obey();
        more = false;
        if (shares.isEmpty() || ground.pauses().isConsumerPaused(settings.name())) {
            return 0;
        }
        boolean nothing =
                !isSaturated() && shares.stream().noneMatch(share -> share.hasMore() || !share.heldKeys.isEmpty());
        return nothing
                ? 0
                : connected(connection -> {
                    int done = tryHeld(connection, held);
                    return isSaturated() ? done : done + runNew(connection);
                });
    }

    private void obey() {
        for (Order order = orders.poll(); order != null; order = orders.poll()) {
            if (order.take) {
                shares.add(order.share);
            } else {
                load.addAndGet(shares.remove(order.share) ? -1 : 0);
                order.share.leave();
            }
        }
    }

    private int runNew(Connection connection) throws SQLException {
        List<ReadMessage> batch = gather();
        if (batch.isEmpty()) {
            return 0;
        }
        try {
            int done = runner.runAll(connection, batch, () -> isStopping() || !orders.isEmpty());
            putBack(batch.subList(done, batch.size()));
            count(batch.subList(0, done));
            more = shares.stream().anyMatch(PartitionShare::hasMore);
            return done;
        } catch (Fenced e) {
            lostSight();
            return 0;
        }
    }

    private List<ReadMessage> gather() {
        List<ReadMessage> batch = new ArrayList<>();
        if (shares.isEmpty()) {
            return batch;
        }
        List<PartitionShare> order = new ArrayList<>(shares);
        // Each round begins with another partition, so that a full one does not starve the rest.
        Collections.rotate(order, -Math.floorMod(rounds++, order.size()));
        for (PartitionShare share : order) {
            share.drainTo(batch, settings.batch - batch.size());
        }
        return batch;
    }

    private static void putBack(List<ReadMessage> rest) {
        for (int i = rest.size() - 1; i >= 0; i--) {
            StreamMessage message = (StreamMessage) rest.get(i);
            message.share.putBack(message);
        }
    }

    private void count(List<ReadMessage> done) {
        Map<Partition, Long> bytes = new HashMap<>();
        for (ReadMessage message : done) {
            bytes.merge(((StreamMessage) message).share.partition, (long) message.size(), Long::sum);
        }
        bytes.forEach((partition, size) -> {
            partition.queuedBytes.addAndGet(-size);
            room.accept(partition);
        });
        shares.forEach(PartitionShare::noteOldest);
    }
}
