package dev.hapax.internal.consume;

import dev.hapax.consume.Consumer.Lag;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.consume.Failures.Fenced;
import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Works through lanes of the log: looks, handles, commits, again. */
final class LaneWorker extends Worker {

    private static final Logger LOG = LoggerFactory.getLogger(LaneWorker.class);

    private static final int FAIR_LOOK = 8;
    private static final long LAG_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final PositionStore positions;
    private final LogReader reader;
    private final GapBounds gaps;
    private final HeldStore held;
    private final LogProgress progress;
    private final MessageRunner runner;
    private final Map<Short, Lane> lanes = new LinkedHashMap<>();
    private final Queue<Order> orders = new ConcurrentLinkedQueue<>();
    private final Queue<Short> released;
    private volatile Lag lag = LaneLag.NONE;
    private volatile int mine = Lanes.NONE;
    private boolean mustRetake;
    private boolean more;
    private int looks;
    private int busyLanes;
    private long lagMeasuredNanos;

    /** What the lease keeper asks for. */
    private sealed interface Order {

        record Take(Lane lane) implements Order {}

        /** @param release whether it is still ours, to give back */
        record Leave(short lane, boolean release) implements Order {}
    }

    /** @param released where it tells which lanes it no longer has */
    LaneWorker(ConsumerGround ground, ConsumerSettings settings, PositionStore positions, Queue<Short> released) {
        super(ground, settings);
        this.positions = positions;
        this.released = released;
        this.reader = new LogReader(List.copyOf(settings.topics));
        this.gaps = new GapBounds(settings.name(), ground.metrics());
        this.held = new LogHeld(settings.name());
        this.progress = new LogProgress(positions, lanes);
        this.runner = new MessageRunner(ground, settings, progress, held, this::isOverdue);
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

    /** There may be something to read in these lanes. One that is being taken right now is looked at when it has been. */
    void wake(int inLanes, boolean there) {
        if ((inLanes & mine) != Lanes.NONE) {
            wake(there);
        }
    }

    Lag lag() {
        return lag;
    }

    @Override
    boolean hasMore() {
        // Where a lane gave all that it was asked for, there is more.
        return more;
    }

    /** Messages are unread, or may still appear: nobody else looks for them. */
    @Override
    boolean waitsForOthers() {
        return lag.messages() > 0
                || lanes.values().stream()
                        .anyMatch(lane -> !lane.position.gaps().isEmpty());
    }

    @Override
    MessageRunner runner() {
        return runner;
    }

    @Override
    void lostSight() {
        mustRetake = true;
    }

    @Override
    Collection<Lane> shares() {
        return lanes.values();
    }

    @Override
    Collection<Integer> heldLanes() {
        return lanes.keySet().stream().map(Short::intValue).toList();
    }

    @Override
    @Nullable
    Share shareOf(ReadMessage message) {
        return progress.shareOf(message);
    }

    @Override
    void fenced(Connection connection) throws SQLException {
        dropLost(connection);
    }

    @Override
    int step() throws SQLException {
        obey();
        if (lanes.isEmpty()) {
            lag = LaneLag.NONE;
            return 0;
        }
        if (isNothingThere()) {
            lag = LaneLag.NONE;
            return 0;
        }
        if (ground.pauses().isConsumerPaused(settings.name())) {
            return connected(connection -> {
                measure(connection);
                return 0;
            });
        }
        return connected(connection -> {
            if (mustRetake) {
                retakeAll(connection);
            }
            int done = tryHeld(connection, held);
            if (!isSaturated() && !lanes.isEmpty()) {
                done += readNew(connection);
            }
            measure(connection);
            return done;
        });
    }

    /** Whether the keeper has seen lately that nothing lies above the positions: then there is no need to look as well. */
    private boolean isNothingThere() {
        long[] last = ground.drawn().last();
        return isCalm() && !mustRetake && !mayHaveHeld() && last != null && LaneLag.behind(last, lanes.values()) == 0;
    }

    private void obey() throws SQLException {
        for (Order order = orders.poll(); order != null; order = orders.poll()) {
            switch (order) {
                case Order.Take take -> {
                    lanes.put(take.lane().number, take.lane());
                    noteLanes();
                }
                case Order.Leave leave -> {
                    Lane lane = lanes.remove(leave.lane());
                    noteLanes();
                    // One that was dropped meanwhile has been told of already, and may be another worker's by now.
                    if (lane != null) {
                        letGo(lane, leave.release());
                    }
                }
            }
        }
    }

    private void noteLanes() {
        int set = Lanes.NONE;
        for (Short lane : lanes.keySet()) {
            set |= Lanes.set(lane);
        }
        mine = set;
    }

    private void letGo(Lane lane, boolean release) throws SQLException {
        try {
            if (release) {
                giveBack(lane);
            }
        } finally {
            released.add(lane.number);
        }
    }

    /** After trouble nobody knows what the last transaction did: each lane is taken anew, with the position that it left. */
    private void retakeAll(Connection connection) throws SQLException {
        for (Lane lane : List.copyOf(lanes.values())) {
            Lane again = positions.retake(connection, lane);
            if (again == null) {
                if (positions.owned(connection).contains(lane.number)) {
                    leaveToKeeper(lane);
                } else {
                    drop(lane);
                }
            } else {
                // What was held by a commit that nobody heard of is known from now on: later messages of its key must
                // wait behind it.
                again.heldKeys.addAll(held.keys(connection, List.of((int) again.number)));
                lanes.put(again.number, again);
            }
        }
        mustRetake = false;
    }

    /** The keeper takes it anew when it can be taken. */
    private void leaveToKeeper(Lane lane) {
        lanes.remove(lane.number);
        noteLanes();
        released.add(lane.number);
    }

    private void drop(Lane lane) {
        leaveToKeeper(lane);
        ground.metrics().fenced(settings.name());
        LOG.info(
                "consumer {} lost lane {} to another process; nothing of it is committed here",
                settings.name(),
                lane.number);
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
                runner.runAll(connection, look.messages(), this::isStopping);
            }
            if (!isStopping()) {
                settleGaps(connection, look);
            }
        } catch (Fenced e) {
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
    private void settleGaps(Connection connection, LogReader.Look look) throws SQLException, Fenced {
        for (Lane lane : lanes.values()) {
            long over = GapBounds.over(look, lane);
            if (over != LogReader.NO_XMIN) {
                Position next = lane.position.copy();
                if (next.giveUp(over)) {
                    LogProgress.LogMoves moves = progress.begin();
                    moves.moveTo(lane, next);
                    runner.commit(connection, moves);
                }
            }
        }
        gaps.renew(connection, lanes.values());
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

    private void measure(Connection connection) throws SQLException {
        long now = SystemSource.INSTANCE.nanos();
        boolean due = now - lagMeasuredNanos >= LAG_NANOS;
        long[] last = ground.drawn().last();
        if (last == null) {
            if (!due) {
                return;
            }
            last = LogReader.lastNumbers(connection);
        }
        long behind = LaneLag.behind(last, lanes.values());
        if (due) {
            lagMeasuredNanos = now;
            for (Lane lane : lanes.values()) {
                lane.drawn(last[lane.number]);
            }
            lag = LaneLag.measure(connection, behind, lanes.values());
        } else if (behind == 0) {
            lag = LaneLag.NONE;
        } else if (behind != lag.messages()) {
            lag = new Lag(behind, lag.oldest());
        }
    }

    @Override
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
        noteLanes();
    }

    private void giveBack(Lane lane) throws SQLException {
        connected(connection -> {
            positions.release(connection, lane);
            return lane;
        });
    }
}
