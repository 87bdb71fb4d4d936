package dev.hapax.internal.consume;

import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gets this process its fair share of a consumer's lanes, keeps the leases, and hands lanes to workers. One call of {@link #step} is one round.
 */
final class LeaseKeeper implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(LeaseKeeper.class);

    private final ConsumerGround ground;
    private final ConsumerSettings settings;
    private final PositionStore positions;
    private final HeldStore held;
    private final List<LaneWorker> workers;
    private final Map<Short, LaneWorker> assigned = new HashMap<>();
    private final Set<Short> leaving = new HashSet<>();
    private final Queue<Short> released;
    private final Semaphore stop = new Semaphore(0);
    private boolean inTrouble;

    LeaseKeeper(
            ConsumerGround ground,
            ConsumerSettings settings,
            PositionStore positions,
            List<LaneWorker> workers,
            ConcurrentLinkedQueue<Short> released) {
        this.ground = ground;
        this.settings = settings;
        this.positions = positions;
        this.held = new LogHeld(settings.name());
        this.workers = workers;
        this.released = released;
    }

    void stop() {
        stop.release();
    }

    @Override
    public void run() {
        // Four rounds a lease: one that is late, or two, loses nothing.
        long roundMillis = settings.lease.toMillis() / 4;
        try {
            do {
                safely();
            } while (!stop.tryAcquire(roundMillis, TimeUnit.MILLISECONDS)
                    && !workers.stream().allMatch(Worker::isOver));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void safely() {
        try {
            ground.connections().autoCommit(connection -> {
                step(connection);
                return connection;
            });
            inTrouble = false;
        } catch (SQLException | RuntimeException | VirtualMachineError | LinkageError e) {
            if (!inTrouble) {
                LOG.warn("consumer {} can't keep its leases and tries again: {}", settings.name(), e.toString());
            }
            inTrouble = true;
        }
    }

    /** One round: be there, keep what is ours, give what is too much, take what is free. */
    void step(Connection connection) throws SQLException {
        if (assigned.isEmpty()) {
            // At the start, and after an operator has forgotten the consumer while this process was starting.
            positions.create(connection, settings.start);
        }
        forgetReleased();
        PositionStore.Round round = positions.round(connection);
        Set<Short> owned = round.owned();
        for (Map.Entry<Short, LaneWorker> lane : assigned.entrySet()) {
            if (!owned.contains(lane.getKey()) && leaving.add(lane.getKey())) {
                lane.getValue().leave(lane.getKey(), false);
            }
        }
        giveOrphansBack(connection, owned);
        int share = (Lanes.COUNT + round.members() - 1) / round.members();
        int staying = assigned.size() - leaving.size();
        for (Short lane : new ArrayList<>(assigned.keySet())) {
            LaneWorker worker = assigned.get(lane);
            if (staying > share && worker != null && leaving.add(lane)) {
                worker.leave(lane, true);
                staying--;
            }
        }
        if (staying < share) {
            takeFree(connection, share - staying);
        }
    }

    /**
     * Lanes that are ours by name, and that no worker has: they were taken, or taken anew, by a statement whose answer got lost, or could not be given back. As long as this process lives its
     * renewals would keep them from everybody.
     */
    private void giveOrphansBack(Connection connection, Set<Short> owned) throws SQLException {
        for (Short lane : owned) {
            if (!assigned.containsKey(lane)) {
                positions.disown(connection, lane);
            }
        }
    }

    private void forgetReleased() {
        for (Short lane = released.poll(); lane != null; lane = released.poll()) {
            assigned.remove(lane);
            leaving.remove(lane);
        }
        // A worker whose thread has ended tells nothing any more.
        assigned.values().removeIf(Worker::isOver);
        leaving.retainAll(assigned.keySet());
    }

    private void takeFree(Connection connection, int most) throws SQLException {
        int taken = 0;
        for (short number : positions.free(connection)) {
            // One that a worker has not let go of yet would be worked on twice in this process.
            if (taken == most || assigned.containsKey(number)) {
                continue;
            }
            Lane lane = positions.take(connection, number, settings.quarantineAfter, settings.batch);
            if (lane != null) {
                lane.heldKeys.addAll(held.keys(connection, List.of((int) number)));
                LaneWorker worker = leastBusy();
                assigned.put(number, worker);
                worker.take(lane);
                taken++;
            }
        }
    }

    private LaneWorker leastBusy() {
        Map<LaneWorker, Integer> counts = new HashMap<>();
        assigned.values().forEach(worker -> counts.merge(worker, 1, Integer::sum));
        LaneWorker least = workers.getFirst();
        for (LaneWorker worker : workers) {
            if (least.isOver() || !worker.isOver() && counts.getOrDefault(worker, 0) < counts.getOrDefault(least, 0)) {
                least = worker;
            }
        }
        return least;
    }

    /** The process no longer takes part. */
    void leave() {
        try {
            ground.connections().autoCommit(connection -> {
                positions.leave(connection);
                return connection;
            });
        } catch (SQLException e) {
            LOG.info(
                    "consumer {} could not say that it leaves; the others notice when its lease ends: {}",
                    settings.name(),
                    e.toString());
        }
    }
}
