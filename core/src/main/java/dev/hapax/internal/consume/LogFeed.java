package dev.hapax.internal.consume;

import dev.hapax.consume.Consumer.Lag;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.internal.Signals;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.consume.LaneMark.Point;
import dev.hapax.log.Message;
import dev.hapax.spi.Metrics;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The log, as a relay to a broker reads it. A seam for Hapax's own modules; it may change in any release and is not for callers.
 *
 * <p>One process has all lanes, by lease. What is read and what is published are two things: {@link #read} runs ahead, and each batch tells where the lanes are when it has been published. The
 * relay keeps that in the broker, in the transaction of the batch, or here, by {@link #store}, when the broker has acknowledged it.
 *
 * <p>One thread at a time may read, store and measure; {@link #isOwner}, {@link #await}, {@link #wake} and {@link #lag} are for any.
 */
public final class LogFeed implements AutoCloseable {

    private static final int FAIR_LOOK = 8;

    private final ConsumerSettings settings;
    private final ConsumerGround ground;
    private final PositionStore positions;
    private final LogReader reader;
    private final GapBounds gaps;
    private final FeedLease lease;
    private final Thread leaseThread;
    private final Semaphore wake = new Semaphore(0);
    private final Signals.Listener signal = (lanes, there) -> wake();
    private final Map<Short, FeedLane> lanes = new TreeMap<>();
    private final FeedHeld held;
    private FeedLease.@Nullable Ownership reading;
    private volatile Lag lag = LaneLag.NONE;
    private int looks;
    private int busyLanes;

    private LogFeed(ConsumerSettings settings, String @Nullable [] topics) {
        this.settings = settings;
        this.ground = settings.ground;
        String node = FeedLease.nodeOf(ground.shared().service());
        this.positions = new PositionStore(settings, node);
        this.reader = new LogReader(topics, true);
        this.gaps = new GapBounds(settings.name(), ground.metrics());
        this.held = new FeedHeld(settings);
        this.lease = new FeedLease(ground.connections(), settings, positions, this::wake);
        this.leaseThread = Thread.ofPlatform()
                .daemon()
                .name("hapax-" + settings.name() + "-lease")
                .unstarted(lease);
    }

    /**
     * Opens a feed with the settings of a consumer that is not started; what handles and retries messages is not used.
     *
     * @param allTopics whether the bodies of all messages are wanted, and not of the settings' topics alone
     * @throws IllegalArgumentException if the builder is not Hapax's own
     */
    public static LogFeed of(ConsumerBuilder builder, boolean allTopics) {
        if (!(builder instanceof ConsumerSettings settings)) {
            throw new IllegalArgumentException("not a consumer of Hapax: " + builder.getClass());
        }
        return new LogFeed(settings, allTopics ? null : settings.topics.toArray(String[]::new));
    }

    /** Begins to apply for the lanes. */
    public void open() {
        ground.metrics()
                .consumer(name(), () -> lag.messages(), () -> lag.oldest().toMillis() / 1000.0);
        ground.signals().add(signal);
        leaseThread.start();
    }

    /** One round of what keeps the lanes, for a feed that was not opened: by hand, for the testkit alone. */
    public void keepLease() throws SQLException {
        ground.connections().autoCommit(connection -> {
            lease.step(connection);
            return connection;
        });
    }

    public String name() {
        return settings.name();
    }

    public Metrics metrics() {
        return ground.metrics();
    }

    /** Whether an operator has paused it. */
    public boolean isPaused() {
        return ground.pauses().isConsumerPaused(name());
    }

    /** Whether this process has all lanes. */
    public boolean isOwner() {
        return lease.owned() != null;
    }

    /** Whether the lanes that are read are still those that this process has. */
    public boolean isCurrent() {
        return reading != null && reading == lease.owned();
    }

    /** What another process has shown to be over: the lanes are given back, to be taken anew. */
    public void giveUp() {
        FeedLease.Ownership mine = reading;
        reading = null;
        lanes.clear();
        if (mine != null) {
            ground.metrics().fenced(name());
            lease.giveUp(mine);
        }
    }

    /**
     * The position of each lane that the database had when they were taken, and begins a new reading.
     *
     * @throws IllegalStateException if this process does not have the lanes
     */
    public List<LaneMark> owned() throws SQLException {
        FeedLease.Ownership mine = lease.owned();
        if (mine == null) {
            throw new IllegalStateException("relay " + name() + " does not have its lanes");
        }
        reading = mine;
        lanes.clear();
        ground.connections().autoCommit(connection -> {
            held.load(connection);
            return mine;
        });
        return mine.lanes.values().stream()
                .map(lane -> new LaneMark(lane.number, lane.position.low(), lane.position.done(), null, List.of()))
                .toList();
    }

    /** Reads from here on. All lanes must be among the marks. */
    public void readFrom(Collection<LaneMark> marks) {
        FeedLease.Ownership mine = mine();
        lanes.clear();
        for (LaneMark mark : marks) {
            short number = (short) mark.lane();
            Lane owned = mine.lanes.get(number);
            if (owned == null) {
                throw new IllegalStateException("there is no lane " + mark.lane());
            }
            lanes.put(number, new FeedLane(owned, mark));
        }
    }

    private FeedLease.Ownership mine() {
        FeedLease.Ownership mine = reading;
        if (mine == null) {
            throw new IllegalStateException("relay " + name() + " does not have its lanes");
        }
        return mine;
    }

    /**
     * Reads what comes next, and moves on.
     *
     * @param limit about how many messages at most
     */
    public FeedBatch read(int limit) throws SQLException {
        return ground.connections().autoCommit(connection -> read(connection, limit));
    }

    private FeedBatch read(Connection connection, int limit) throws SQLException {
        List<Lane> order =
                new ArrayList<>(lanes.values().stream().map(l -> l.lane).toList());
        Collections.rotate(order, -Math.floorMod(looks, order.size()));
        boolean fair = looks % FAIR_LOOK == 0;
        int among = fair ? order.size() : Math.clamp(busyLanes, 1, order.size());
        int perLane = (limit + among - 1) / among;
        LogReader.Look look = reader.look(connection, order, limit, perLane);
        List<HistoryBreak> breaks = breaks(connection, look);
        if (!breaks.isEmpty()) {
            return FeedBatch.broken(breaks);
        }
        Map<Short, Integer> found = new HashMap<>();
        List<Message> messages = new ArrayList<>();
        boolean whole = take(connection, look, found, messages);
        if (fair) {
            busyLanes = found.size();
        }
        looks++;
        lanes.values().forEach(lane -> lane.lane.looked(found.containsKey(lane.lane.number)));
        if (whole) {
            settleGaps(connection, look);
        }
        boolean more = !whole
                || look.messages().size() >= limit
                || found.values().stream().anyMatch(n -> n >= perLane);
        return new FeedBatch(
                messages,
                messages.isEmpty() ? List.of() : marks(),
                look.messages().size(),
                more,
                List.of());
    }

    /** Takes what was found, as far as its large bodies have room; returns whether that was all. */
    private boolean take(Connection connection, LogReader.Look look, Map<Short, Integer> found, List<Message> messages)
            throws SQLException {
        long large = 0;
        for (ReadMessage message : look.messages()) {
            if (large > ReadMessage.TOGETHER_BYTES_MAX) {
                return false;
            }
            FeedLane lane = lanes.get((short) message.lane());
            if (lane == null) {
                throw new IllegalStateException("message " + message + " lies in no lane that is read");
            }
            found.merge(lane.lane.number, 1, Integer::sum);
            if (isWanted(message)) {
                if (message.isBodyMissing()) {
                    byte[] body = LogReader.body(connection, message);
                    messages.add(message.with(body));
                    large += body.length;
                } else {
                    messages.add(message);
                }
            }
            lane.done(message);
        }
        return true;
    }

    private boolean isWanted(ReadMessage message) {
        return settings.topics.isEmpty() || settings.topics.contains(message.topic());
    }

    /** Where something lies above a position, the message at the position must be the one that was seen there. */
    private List<HistoryBreak> breaks(Connection connection, LogReader.Look look) throws SQLException {
        Map<Integer, UUID> there = new HashMap<>();
        look.anchors().forEach(anchor -> there.put(anchor.lane(), anchor.id()));
        List<LaneMark> doubtful = new ArrayList<>();
        for (int number :
                look.messages().stream().map(ReadMessage::lane).distinct().toList()) {
            FeedLane lane = lanes.get((short) number);
            Point anchor = lane == null ? null : lane.anchor();
            if (lane != null && anchor != null && !anchor.id().equals(there.get(number))) {
                doubtful.add(lane.peek());
            }
        }
        return doubtful.isEmpty() ? List.of() : LogHistory.compare(connection, doubtful);
    }

    /** Compares all lanes with the log, also those in which nothing comes. */
    public List<HistoryBreak> compare() throws SQLException {
        List<LaneMark> all = lanes.values().stream().map(FeedLane::peek).toList();
        return ground.connections().autoCommit(connection -> LogHistory.compare(connection, all));
    }

    private void settleGaps(Connection connection, LogReader.Look look) throws SQLException {
        for (FeedLane lane : lanes.values()) {
            long over = GapBounds.over(look, lane.lane);
            if (over != LogReader.NO_XMIN) {
                lane.moved |= lane.lane.position.giveUp(over);
            }
        }
        gaps.renew(connection, lanes.values().stream().map(lane -> lane.lane).toList());
    }

    /** Where the lanes are that have moved since this was last asked, or the last batch with messages was read. */
    public List<LaneMark> marks() {
        return lanes.values().stream()
                .filter(lane -> lane.moved)
                .map(FeedLane::mark)
                .toList();
    }

    /**
     * Moves the database's copy of the positions.
     *
     * @return false if another process has the lanes; nothing was moved
     */
    public boolean store(List<LaneMark> marks) throws SQLException {
        FeedLease.Ownership mine = mine();
        List<Lane> moving = new ArrayList<>();
        List<Position> to = new ArrayList<>();
        for (LaneMark mark : marks) {
            Lane lane = mine.lanes.get((short) mark.lane());
            if (lane != null) {
                moving.add(lane);
                to.add(mark.position());
            }
        }
        if (moving.isEmpty()) {
            return true;
        }
        boolean moved = ground.connections().inTransaction(connection -> move(connection, moving, to));
        for (int i = 0; moved && i < moving.size(); i++) {
            moving.get(i).position = to.get(i);
        }
        return moved;
    }

    private boolean move(Connection connection, List<Lane> moving, List<Position> to) throws SQLException {
        boolean all = positions.move(connection, moving, to);
        if (!all) {
            connection.rollback();
        }
        return all;
    }

    // ------------------------------------------------------------------------------------------- messages set aside

    /** Whether a message waits behind one of its key that was set aside. */
    public boolean waits(Message message) {
        return held.holds(message.messageKey(), message.number());
    }

    /** Whether any may have been set aside. */
    public boolean hasHeld() {
        return !held.isEmpty();
    }

    /** Whether so many are set aside that no new ones are to be read; asks the database. */
    public boolean isSaturated() throws SQLException {
        return ground.connections().autoCommit(held::count) >= settings.heldMax;
    }

    /**
     * Sets messages aside. To be called before the positions that say that they are done are committed.
     *
     * @param waiting those that wait behind others of their key
     * @param refused those that can't be published, and why
     * @return false if another process has the lanes; nothing was changed
     */
    public boolean hold(List<Message> waiting, Map<Message, String> refused) throws SQLException {
        List<ReadMessage> behind = waiting.stream().map(ReadMessage.class::cast).toList();
        Map<ReadMessage, String> failed = new LinkedHashMap<>();
        refused.forEach((message, reason) -> failed.put((ReadMessage) message, reason));
        Set<Short> touched = new TreeSet<>();
        behind.forEach(message -> touched.add((short) message.lane()));
        failed.keySet().forEach(message -> touched.add((short) message.lane()));
        boolean done = locked(touched, connection -> held.insert(connection, behind, failed));
        if (done) {
            held.inserted(behind, failed);
        }
        return done;
    }

    @FunctionalInterface
    private interface Change {
        void make(Connection connection) throws SQLException;
    }

    /** In a transaction that has the positions' rows, so that neither a former owner nor an operator changes the same at the same time. */
    private boolean locked(Set<Short> touched, Change change) throws SQLException {
        FeedLease.Ownership mine = mine();
        List<Lane> moving = mine.lanes.values().stream()
                .filter(lane -> touched.contains(lane.number))
                .toList();
        List<Position> same = moving.stream().map(lane -> lane.position.copy()).toList();
        boolean done = ground.connections().inTransaction(connection -> {
            if (!move(connection, moving, same)) {
                return false;
            }
            change.make(connection);
            return true;
        });
        for (int i = 0; done && i < moving.size(); i++) {
            moving.get(i).position = same.get(i);
        }
        return done;
    }

    /** Those that are to be tried again, by lane and number. */
    public List<HeldMessage> due(int limit) throws SQLException {
        return ground.connections().autoCommit(connection -> held.due(connection, heldLanes(), limit)).stream()
                .map(HeldMessage::new)
                .toList();
    }

    private List<Integer> heldLanes() {
        return lanes.keySet().stream().map(Short::intValue).toList();
    }

    /** Where its lane is with this message: if the position that says that it is done was never committed, it is from now on. Not while a batch is being read. */
    public List<LaneMark> markWith(HeldMessage message) {
        FeedLane lane = lanes.get((short) message.message().lane());
        if (lane == null || lane.lane.position.isDone(message.message().number())) {
            return List.of();
        }
        lane.done(message.due.message());
        return List.of(lane.mark());
    }

    /**
     * Messages that had been set aside are published.
     *
     * @return false if another process has the lanes; nothing was changed
     */
    public boolean published(List<UUID> messages) throws SQLException {
        return messages.isEmpty()
                || locked(lanes.keySet(), connection -> {
                    for (UUID message : messages) {
                        held.published(connection, message);
                    }
                });
    }

    /** It was refused again. */
    public void refused(HeldMessage message, String reason) throws SQLException {
        ground.connections().autoCommit(connection -> {
            held.refused(connection, message.due, reason);
            return message;
        });
    }

    // ------------------------------------------------------------------------------------------------------- lag

    /** Measures how far the relay is behind, from marks that it has published. */
    public void measure(Collection<LaneMark> published) throws SQLException {
        List<Lane> at = published.stream()
                .map(mark -> new Lane((short) mark.lane(), 0, mark.position()))
                .toList();
        lag = ground.connections().autoCommit(connection -> {
            long[] last = LogReader.lastNumbers(connection);
            lanes.values().forEach(lane -> lane.lane.drawn(last[lane.lane.number]));
            return LaneLag.measure(connection, LaneLag.behind(last, at), at);
        });
    }

    /** As last measured; nothing while another process has the lanes. */
    public Lag lag() {
        return lag;
    }

    /** Forgets what was measured: another process is the relay. */
    public void notMeasured() {
        lag = LaneLag.NONE;
    }

    /** Nanoseconds of a clock that only measures distances. */
    public long nanos() {
        return SystemSource.INSTANCE.nanos();
    }

    /** The longest pause between two looks. */
    public Duration idle() {
        return settings.idle;
    }

    /** Waits for a message of this process, or for the time. */
    public void await(Duration atMost) throws InterruptedException {
        if (wake.tryAcquire(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
            wake.drainPermits();
        }
    }

    public void wake() {
        if (wake.availablePermits() == 0) {
            wake.release();
        }
    }

    /** Gives the lanes back, so that another process goes on at once. */
    @Override
    public void close() {
        ground.signals().remove(signal);
        lease.stop();
        try {
            if (leaseThread.isAlive()) {
                leaseThread.join(Duration.ofSeconds(2));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        lease.leave();
        ground.metrics().consumerStopped(name());
    }
}
