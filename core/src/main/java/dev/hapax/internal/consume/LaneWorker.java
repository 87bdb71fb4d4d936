package dev.hapax.internal.consume;

import dev.hapax.consume.Consumer.Lag;
import dev.hapax.internal.SystemSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works through the lanes that it is given: looks, handles, commits, again. All state of its lanes is its thread's own; others talk to it by a queue. One call of
 * {@link #step} is one round.
 */
final class LaneWorker implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(LaneWorker.class);

    private static final long PAUSE_FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long WATCHED_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long CALM_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long TROUBLE_MILLIS_MAX = 1_000;
    private static final long HELD_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int FAIR_LOOK = 8;
    private static final long LAG_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ConsumerGround ground;
    private final ConsumerSettings settings;
    private final PositionStore positions;
    private final LogReader reader;
    private final HeldStore held;
    private final MessageRunner runner;
    private final Map<Short, Lane> lanes = new LinkedHashMap<>();
    private final Queue<Order> orders = new ConcurrentLinkedQueue<>();
    private final Queue<Short> released;
    private final Semaphore wake = new Semaphore(0);
    private final CountDownLatch stopped = new CountDownLatch(1);
    private volatile boolean stopping;
    private volatile boolean alert;
    private volatile Lag lag = new Lag(0, Duration.ZERO);
    private boolean inTrouble;
    private boolean mustRetake;
    private boolean inDoubt = true;
    private long doubtNanos;
    private boolean saturated;
    private boolean more;
    private int looks;
    private int busyLanes;
    private long heldLookedNanos;
    private long heldCountedNanos;
    private long lagMeasuredNanos;

    /** What the lease keeper asks for. */
    private sealed interface Order {

        record Take(Lane lane) implements Order {}

        /** @param release whether it is still ours, to give back */
        record Leave(short lane, boolean release) implements Order {}
    }

    /** @param released where it tells which lanes it no longer has */
    LaneWorker(ConsumerGround ground, ConsumerSettings settings, PositionStore positions, Queue<Short> released) {
        this.ground = ground;
        this.settings = settings;
        this.doubtNanos = ground.pauses().openedNanos();
        this.positions = positions;
        this.released = released;
        this.reader = new LogReader(List.copyOf(settings.topics));
        this.held = new HeldStore(settings.name());
        this.runner = new MessageRunner(ground, settings, positions, held);
    }

    void take(Lane lane) {
        orders.add(new Order.Take(lane));
        wake(true);
    }

    /** @param release false if another has taken it over */
    void leave(short lane, boolean release) {
        orders.add(new Order.Leave(lane, release));
        wake(true);
    }

    /** @param there false if what it is woken for may not be found yet: it looks more often for a while */
    void wake(boolean there) {
        if (!there) {
            alert = true;
        }
        if (wake.availablePermits() == 0) {
            wake.release();
        }
    }

    Lag lag() {
        return lag;
    }

    void stop() {
        stopping = true;
        stopped.countDown();
        wake(true);
    }

    @Override
    public void run() {
        long pause = PAUSE_FIRST_NANOS;
        while (!stopping) {
            int done = safely();
            pause = done > 0 || isAlerted() ? PAUSE_FIRST_NANOS : Math.min(pause * 2, pauseMax());
            // Where a lane gave all that it was asked for, there is more. While messages come one by one, what comes in
            // a
            // millisecond is read together, whoever knocks: a look costs as much as several messages.
            boolean goesOn = done == 0 ? await(pause) : more || gather();
            if (!goesOn) {
                break;
            }
        }
        giveAllBack();
    }

    private boolean isAlerted() {
        boolean alerted = alert;
        alert = false;
        return alerted;
    }

    /** Where nothing waits for a time or for others' commits, the keeper looks for all, and wakes. */
    private long pauseMax() {
        long longest = settings.idle.toNanos();
        boolean waits = inTrouble
                || inDoubt
                || saturated
                || lag.messages() > 0
                || lanes.values().stream()
                        .anyMatch(lane -> !lane.position.gaps().isEmpty() || !lane.heldKeys.isEmpty());
        return waits || longest < WATCHED_NANOS ? longest : Math.max(longest, CALM_NANOS);
    }

    private boolean gather() {
        try {
            return !stopped.await(PAUSE_FIRST_NANOS, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private boolean await(long nanos) {
        try {
            if (wake.tryAcquire(nanos, TimeUnit.NANOSECONDS)) {
                wake.drainPermits();
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** A round, whose failures are told once and waited out. */
    private int safely() {
        if (inDoubt && !ground.pauses().isReadAfter(doubtNanos)) {
            // The database that is there now may have gone back in time, which the keeper is about to find out.
            return 0;
        }
        inDoubt = false;
        try {
            int done = step();
            if (inTrouble) {
                LOG.info("consumer {} goes on", settings.name());
            }
            inTrouble = false;
            return done;
        } catch (SQLException e) {
            if (!inTrouble && !stopping) {
                LOG.warn("consumer {} can't work and tries again: {}", settings.name(), e.toString());
            }
            inTrouble = true;
            mustRetake = true;
            doubt();
            await(TimeUnit.MILLISECONDS.toNanos(SystemSource.INSTANCE.jitter(TROUBLE_MILLIS_MAX) + 50));
            return 0;
        } catch (RuntimeException e) {
            LOG.error("consumer {} failed in its own code and tries again", settings.name(), e);
            inTrouble = true;
            mustRetake = true;
            await(TimeUnit.MILLISECONDS.toNanos(TROUBLE_MILLIS_MAX));
            return 0;
        }
    }

    /** One round; returns how many messages left the log or were handled. */
    int step() throws SQLException {
        obey();
        if (lanes.isEmpty()) {
            lag = new Lag(0, Duration.ZERO);
            return 0;
        }
        if (ground.pauses().isConsumerPaused(settings.name())) {
            return ground.connections().autoCommit(connection -> {
                measure(connection);
                return 0;
            });
        }
        return ground.connections().autoCommit(connection -> {
            if (mustRetake) {
                retakeAll(connection);
            }
            int done = tryHeld(connection);
            if (!saturated && !lanes.isEmpty()) {
                done += readNew(connection);
            }
            measure(connection);
            return done;
        });
    }

    /** A round by hand: time is no reason to put anything off, and a failure is the caller's, but remembered as {@link #safely} does. */
    int stepByHand() throws SQLException {
        heldLookedNanos = SystemSource.INSTANCE.nanos() - HELD_LOOK_NANOS;
        try {
            return step();
        } catch (SQLException | RuntimeException e) {
            mustRetake = true;
            throw e;
        }
    }

    private void obey() throws SQLException {
        for (Order order = orders.poll(); order != null; order = orders.poll()) {
            switch (order) {
                case Order.Take take -> lanes.put(take.lane().number, take.lane());
                case Order.Leave leave -> {
                    Lane lane = lanes.remove(leave.lane());
                    try {
                        if (lane != null && leave.release()) {
                            giveBack(lane);
                        }
                    } finally {
                        released.add(leave.lane());
                    }
                }
            }
        }
    }

    /** After trouble nobody knows what the last transaction did: each lane is taken anew, with the position that it left. */
    private void retakeAll(Connection connection) throws SQLException {
        for (Lane lane : List.copyOf(lanes.values())) {
            Lane again = positions.retake(connection, lane);
            if (again == null) {
                drop(lane);
            } else {
                lanes.put(again.number, again);
            }
        }
        mustRetake = false;
    }

    private void drop(Lane lane) {
        lanes.remove(lane.number);
        released.add(lane.number);
        ground.metrics().fenced(settings.name());
        LOG.info(
                "consumer {} lost lane {} to another process; nothing of it is committed here",
                settings.name(),
                lane.number);
    }

    private int tryHeld(Connection connection) throws SQLException {
        boolean any = saturated || lanes.values().stream().anyMatch(lane -> !lane.heldKeys.isEmpty());
        long now = SystemSource.INSTANCE.nanos();
        if (!any || now - heldLookedNanos < HELD_LOOK_NANOS) {
            return 0;
        }
        heldLookedNanos = now;
        if (now - heldCountedNanos >= LAG_NANOS) {
            heldCountedNanos = now;
            countHeld(connection);
        }
        int done = 0;
        for (HeldStore.Due due : held.due(connection, lanes.keySet(), settings.batch)) {
            Lane lane = lanes.get((short) due.message().lane());
            if (lane == null || stopping) {
                continue;
            }
            try {
                done += runner.runHeld(connection, lane, due);
            } catch (MessageRunner.Fenced e) {
                dropLost(connection);
            }
        }
        return done;
    }

    private void countHeld(Connection connection) throws SQLException {
        long count = held.count(connection);
        if (count == 0) {
            // An operator has discarded the last ones.
            lanes.values().forEach(lane -> lane.heldKeys.clear());
        }
        boolean before = saturated;
        saturated = count >= settings.heldMax;
        if (saturated && !before) {
            LOG.warn(
                    "consumer {} holds {} messages (heldMax {}) and takes no new ones until some are done or discarded; see ./hapax quarantine list {}",
                    settings.name(),
                    count,
                    settings.heldMax,
                    settings.name());
        }
    }

    private int readNew(Connection connection) throws SQLException {
        List<Lane> order = new ArrayList<>(lanes.values());
        // Each round begins with another lane, so that a full one does not starve the rest.
        Collections.rotate(order, -Math.floorMod(looks, order.size()));
        int perLane = perLane(order.size());
        LogReader.Look look = reader.look(connection, order, settings.batch, perLane);
        note(look, perLane);
        try {
            if (!look.messages().isEmpty()) {
                runner.runAll(connection, lanes, look.messages(), () -> stopping);
            }
            if (!stopping) {
                settleGaps(connection, look);
            }
        } catch (MessageRunner.Fenced e) {
            dropLost(connection);
        }
        return look.messages().size();
    }

    /**
     * How much of a batch one lane may fill. All lanes that have something share it, since neighbours in the log lie in the same pages; every eighth look gives each lane its share, and so finds
     * out which have.
     */
    private int perLane(int owned) {
        int among = isFairLook() ? owned : Math.clamp(busyLanes, 1, owned);
        return (settings.batch + among - 1) / among;
    }

    private boolean isFairLook() {
        return looks % FAIR_LOOK == 0;
    }

    private void note(LogReader.Look look, int perLane) {
        Map<Short, Integer> found = new HashMap<>();
        look.messages().forEach(message -> found.merge((short) message.lane(), 1, Integer::sum));
        more = look.messages().size() >= settings.batch
                || found.values().stream().anyMatch(n -> n >= perLane);
        if (isFairLook()) {
            busyLanes = found.size();
        }
        looks++;
        lanes.values().forEach(lane -> lane.looked(found.containsKey(lane.number)));
    }

    /** Draws bounds for new gaps, and gives up what can't appear any more; what is given up is written down at once if nothing else moves the position. */
    private void settleGaps(Connection connection, LogReader.Look look) throws SQLException, MessageRunner.Fenced {
        boolean unbounded = false;
        for (Lane lane : lanes.values()) {
            if (look.xmin() != LogReader.NO_XMIN && look.wholeGaps()) {
                Position next = lane.position.copy();
                if (next.giveUp(look.xmin())) {
                    runner.move(connection, lane, next);
                }
            }
            unbounded |= lane.position.isUnbounded();
        }
        if (unbounded) {
            long bound = LogReader.drawBound(connection);
            lanes.values().forEach(lane -> lane.position.bound(bound));
        }
    }

    private void dropLost(Connection connection) throws SQLException {
        var owned = positions.owned(connection);
        for (Lane lane : List.copyOf(lanes.values())) {
            if (!owned.contains(lane.number)) {
                drop(lane);
            }
        }
        // Those that are still ours by name may have another token, or lie elsewhere than we thought.
        mustRetake = true;
        doubt();
    }

    private void doubt() {
        inDoubt = true;
        doubtNanos = SystemSource.INSTANCE.nanos();
    }

    private void measure(Connection connection) throws SQLException {
        long now = SystemSource.INSTANCE.nanos();
        if (now - lagMeasuredNanos < LAG_NANOS) {
            return;
        }
        lagMeasuredNanos = now;
        long[] last = LogReader.lastNumbers(connection);
        long behind = 0;
        for (Lane lane : lanes.values()) {
            behind += Math.max(0, last[lane.number] - lane.position.high());
            lane.drawn(last[lane.number]);
            for (Position.Gap gap : lane.position.gaps()) {
                behind += gap.to() - gap.from() + 1;
            }
        }
        lag = new Lag(behind, behind == 0 ? Duration.ZERO : PositionStore.oldestUnread(connection, lanes.values()));
    }

    void giveAllBack() {
        try {
            obey();
            for (Lane lane : lanes.values()) {
                giveBack(lane);
            }
        } catch (SQLException e) {
            LOG.info(
                    "consumer {} could not give its lanes back; others take them over when the lease ends: {}",
                    settings.name(),
                    e.toString());
        }
        lanes.clear();
    }

    private void giveBack(Lane lane) throws SQLException {
        ground.connections().autoCommit(connection -> {
            positions.release(connection, lane);
            return lane;
        });
    }
}
