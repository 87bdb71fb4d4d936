package dev.hapax.kafka;

import dev.hapax.consume.Relays.Decision;
import dev.hapax.internal.consume.FeedBatch;
import dev.hapax.internal.consume.HeldMessage;
import dev.hapax.internal.consume.HistoryBreak;
import dev.hapax.internal.consume.LaneMark;
import dev.hapax.internal.consume.LogFeed;
import dev.hapax.internal.consume.RelayStore;
import dev.hapax.internal.consume.RelayStore.Open;
import dev.hapax.kafka.KafkaRelay.State;
import dev.hapax.kafka.Output.Refusal;
import dev.hapax.kafka.Output.Superseded;
import dev.hapax.log.Message;
import dev.hapax.spi.Metrics.Handling;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the log, batch by batch. One call of {@link #step} is one round; all but {@link #stop}, {@link #state} and {@link #problem} belongs to its thread.
 *
 * <p>Where the lanes are is known in three places. The broker decides: what is in its position topic was committed with the records. {@code committed} is this process's copy of that, and is thrown
 * away whenever something happened that nobody knows the end of; then the producer is closed, a new one fences it, and the positions are read back. The database's copy follows behind, for the
 * retention of the log and for those who look; it never runs ahead.
 *
 * <p>The next batch is read while the broker commits the last one, if there is more: reading runs ahead of {@code committed}, and begins anew from it when a batch has failed.
 */
final class RelayRunner implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(RelayRunner.class);

    private static final Duration PAUSE_FIRST = Duration.ofMillis(1);
    private static final Duration TROUBLE = Duration.ofMillis(500);
    private static final Duration STANDBY = Duration.ofMillis(500);
    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long STORE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long HELD_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int HELD_BATCH = 500;
    private static final int HELD_ROUNDS = 100;

    /** Key and headers: names and ids are bounded. */
    private static final int BESIDE_THE_BODY_MAX = 8_192;

    private final RelaySettings settings;
    private final LogFeed feed;
    private final RelayStore store;
    private final RelayConnector connector;
    private final ExecutorService ahead;
    private final Map<Integer, LaneMark> committed = new TreeMap<>();
    private final Map<Integer, LaneMark> toStore = new TreeMap<>();
    private final List<UUID> settled = new ArrayList<>();

    /** Set aside, and not yet passed by a position that is committed. */
    private final Set<UUID> aside = new HashSet<>();

    private final Records records;
    private @Nullable Doubt doubt;
    private @Nullable Output output;
    private @Nullable Future<FeedBatch> next;
    private Duration pause = PAUSE_FIRST;
    private long lookedNanos;
    private long leftNanos;
    private long heldNanos;
    private boolean saturated;
    private long storedNanos;
    private volatile State state = State.STANDBY;
    private volatile @Nullable String problem;
    private volatile boolean stopping;

    RelayRunner(RelaySettings settings, LogFeed feed, RelayStore store) {
        this.settings = settings;
        this.feed = feed;
        this.store = store;
        this.records = new Records(settings.topics);
        this.connector = new RelayConnector(settings, feed, store);
        this.ahead = Executors.newSingleThreadExecutor(Thread.ofPlatform()
                .daemon()
                .name("hapax-" + settings.name + "-ahead")
                .factory());
    }

    State state() {
        return state;
    }

    @Nullable
    String problem() {
        return problem;
    }

    void stop() {
        stopping = true;
        feed.wake();
    }

    @Override
    public void run() {
        try {
            while (!stopping) {
                safely();
            }
            end();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            finish();
        }
    }

    private void finish() {
        try {
            closeOutput();
        } finally {
            connector.close();
            ahead.shutdownNow();
            enter(State.STOPPED, null);
        }
    }

    private void end() {
        try {
            storeCopy(true);
        } catch (SQLException | RuntimeException e) {
            LOG.info("relay {} could not leave its position in the database: {}", settings.name, e.toString());
        }
    }

    /** A round, whose failures are told once and waited out. */
    private void safely() throws InterruptedException {
        try {
            step();
        } catch (Superseded e) {
            LOG.info(
                    "relay {} was replaced by another process, and publishes nothing more here: {}",
                    settings.name,
                    e.getMessage());
            closeOutput();
            feed.giveUp();
        } catch (SQLException | RuntimeException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedException();
            }
            if (!stopping) {
                trouble(e);
            }
        }
    }

    /** A round by hand: time is no reason to put anything off, and a failure is the caller's, but leaves what {@link #safely} leaves. */
    void stepByHand() throws SQLException, InterruptedException {
        long longAgo = feed.nanos() - LOOK_NANOS;
        lookedNanos = longAgo;
        leftNanos = longAgo;
        heldNanos = longAgo;
        storedNanos = longAgo;
        feed.wake();
        try {
            step();
        } catch (Superseded e) {
            closeOutput();
            feed.giveUp();
        } catch (SQLException | RuntimeException e) {
            closeOutput();
            enter(State.CONNECTING, e.toString());
            throw e;
        }
    }

    /** Ends, as {@link #run} does. */
    void endByHand() {
        try {
            end();
        } finally {
            finish();
        }
    }

    /** What was begun is left to be aborted, and what is not known is read back. */
    private void trouble(Exception e) throws InterruptedException {
        closeOutput();
        String words = e instanceof UnsafeTopicException ? String.valueOf(e.getMessage()) : e.toString();
        if (!words.equals(problem)) {
            LOG.warn("relay {} can't publish and tries again: {}", settings.name, words);
        }
        enter(State.CONNECTING, words);
        measure();
        feed.await(TROUBLE);
    }

    private void enter(State now, @Nullable String why) {
        if (state == State.CONNECTING && now == State.RUNNING && problem != null) {
            LOG.info("relay {} goes on", settings.name);
        }
        state = now;
        problem = why;
    }

    private void closeOutput() {
        dropNext();
        Output open = output;
        output = null;
        if (open != null) {
            open.close();
        }
    }

    /** One round. */
    void step() throws SQLException, InterruptedException {
        if (!feed.isOwner()) {
            standBy();
        } else if (output == null || !feed.isCurrent()) {
            connect();
        } else if (state == State.HALTED) {
            lookForDecision();
        } else if (feed.isPaused()) {
            dropNextAndReadAnew();
            everySecond();
            feed.await(STANDBY);
        } else {
            work();
        }
    }

    private void standBy() throws InterruptedException {
        closeOutput();
        feed.notMeasured();
        enter(State.STANDBY, null);
        feed.await(STANDBY);
    }

    private void connect() throws SQLException, InterruptedException {
        closeOutput();
        enter(State.CONNECTING, problem);
        RelayConnector.Connection connection = connector.connect();
        output = connection.output();
        committed.clear();
        toStore.clear();
        settled.clear();
        settled.addAll(connection.published());
        connection.marks().forEach(this::isCommitted);
        if (!feed.published(connection.published())) {
            throw lost();
        }
        feed.readFrom(committed.values());
        List<HistoryBreak> breaks = feed.compare();
        if (!breaks.isEmpty()) {
            halt(breaks);
        } else {
            clearUp();
            enter(State.RUNNING, null);
        }
        saturated = feed.hasHeld() && feed.isSaturated();
        lookedNanos = feed.nanos();
    }

    /** The log is the one that was published. Where it was another one, some may still have to be compared. */
    private void clearUp() throws SQLException {
        List<Open> open = store.open(settings.name);
        Doubt comparing = new Doubt(settings, store, connector.topics());
        List<Open> comparable = new ArrayList<>();
        List<Open> over = new ArrayList<>();
        for (Open one : open) {
            (one.known().decision().filter(Decision.PUBLISH_MISSING::equals).isPresent() ? comparable : over).add(one);
        }
        store.done(over);
        for (Open one : comparable) {
            if (one.compareTo() == null) {
                store.compareTo(one.known(), store.lastNumber(one.known().lane()));
            }
        }
        comparing.read(store.open(settings.name), committed);
        doubt = comparing;
    }

    private Superseded lost() {
        return new Superseded("another process has the lanes", null);
    }

    private void isCommitted(LaneMark mark) {
        committed.put(mark.lane(), mark);
        toStore.put(mark.lane(), mark);
    }

    private void halt(List<HistoryBreak> breaks) throws SQLException {
        dropNext();
        store.found(settings.name, breaks);
        HistoryBreak first = breaks.getFirst();
        String words = String.format(
                "the log is not the one that was published: in lane %d, at number %d, lies message %s and not %s; numbers %d to %d are in doubt%s."
                        + " See ./hapax relay list, and decide with ./hapax relay resume %s",
                first.lane(),
                first.until(),
                first.found() == null ? "none" : first.found(),
                first.expected(),
                first.after() + 1,
                first.until(),
                breaks.size() > 1 ? " (and in " + (breaks.size() - 1) + " other lanes)" : "",
                settings.name);
        if (!words.equals(problem)) {
            LOG.error("relay {} stands still: {}", settings.name, words);
        }
        enter(State.HALTED, words);
    }

    private void lookForDecision() throws SQLException, InterruptedException {
        List<Open> open = store.open(settings.name);
        Output connected = output;
        if (connected == null || !Doubt.isDecided(open)) {
            measure();
            feed.await(STANDBY);
            return;
        }
        Doubt deciding = new Doubt(settings, store, connector.topics());
        List<LaneMark> marks = deciding.goOn(open, committed);
        // The database's copy first: it must never be ahead of the topic's.
        if (!feed.store(marks)) {
            throw lost();
        }
        connected.publish(List.of(), marks, List.of(), () -> {});
        deciding.begun(open);
        LOG.warn("relay {} goes on behind a break in the log's history, in {} lanes", settings.name, marks.size());
        closeOutput();
        enter(State.CONNECTING, null);
    }

    private void work() throws SQLException, InterruptedException {
        if (saturated) {
            dropNextAndReadAnew();
            everySecond();
            tryHeld();
            feed.await(STANDBY);
            return;
        }
        FeedBatch batch = nextBatch();
        if (!batch.breaks().isEmpty()) {
            halt(batch.breaks());
            return;
        }
        everySecond();
        if (state != State.RUNNING) {
            return;
        }
        if (!batch.messages().isEmpty()) {
            publish(batch);
        }
        if (next == null && output != null) {
            tryHeld();
        }
        if (next == null && output != null) {
            leaveMarks();
        }
        storeCopy(false);
        if (batch.rows() > 0) {
            pause = PAUSE_FIRST;
        }
        if (!batch.more()) {
            feed.await(pause);
            Duration doubled = pause.multipliedBy(2);
            pause = doubled.compareTo(feed.idle()) < 0 ? doubled : feed.idle();
        }
    }

    private FeedBatch nextBatch() throws SQLException, InterruptedException {
        Future<FeedBatch> ready = next;
        next = null;
        if (ready == null) {
            return feed.read(settings.batch);
        }
        try {
            return ready.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SQLException sql) {
                throw sql;
            }
            throw new IllegalStateException("the log could not be read", e.getCause());
        }
    }

    private void publish(FeedBatch batch) throws SQLException {
        Output open = connected();
        long since = feed.nanos();
        List<UUID> tombstones = List.copyOf(settled);
        Doubt comparing = doubt;
        List<Message> rest = comparing == null ? batch.messages() : comparing.missing(batch.messages());
        Runnable meanwhile = () -> readAhead(batch);
        int done = 0;
        while (true) {
            rest = passing(rest);
            Output.Result result = open.publish(rest, batch.marks(), tombstones, meanwhile);
            done += rest.size() - result.refused().size() - result.unsent().size();
            if (result.refused().isEmpty()) {
                break;
            }
            setAside(result.refused());
            if (open.isUsedUpByRefusals()) {
                // The batch is read again, and what was set aside is passed over.
                closeOutput();
                return;
            }
            rest = result.unsent();
            meanwhile = () -> {};
        }
        aside.clear();
        batch.marks().forEach(this::isCommitted);
        settled.removeAll(tombstones);
        if (comparing != null) {
            comparing.passed(committed);
        }
        feed.metrics().handled(settings.name, Handling.APPLIED, done);
        feed.metrics().batch(settings.name, batch.messages().size(), feed.nanos() - since);
        if (settings.mode == KafkaRelay.Mode.AT_LEAST_ONCE) {
            storeCopy(true);
        }
    }

    private void readAhead(FeedBatch batch) {
        if (batch.more()) {
            next = ahead.submit(() -> feed.read(settings.batch));
        }
    }

    private Output connected() {
        Output open = output;
        if (open == null) {
            throw new IllegalStateException("relay " + settings.name + " is not connected");
        }
        return open;
    }

    /** Those that can go; others are set aside: their topic is missing, or they wait behind one of their key. */
    private List<Message> passing(List<Message> messages) throws SQLException {
        List<Message> going = new ArrayList<>(messages.size());
        List<Message> waiting = new ArrayList<>();
        Map<Message, String> refused = new LinkedHashMap<>();
        Set<String> keys = new HashSet<>();
        for (Message message : messages) {
            String topic = settings.topics.getOrDefault(message.topic(), message.topic());
            long bytes = sizeOf(message);
            if (aside.contains(message.id())) {
                continue;
            } else if (feed.waits(message) || settings.holdsKeys && keys.contains(message.messageKey())) {
                waiting.add(message);
            } else if (!connector.topics().isThere(topic)) {
                refused.put(message, missing(topic));
                keys.add(message.messageKey());
            } else if (bytes > settings.recordBytesMax()) {
                refused.put(message, tooLarge(bytes));
                keys.add(message.messageKey());
            } else {
                going.add(message);
            }
        }
        hold(waiting, refused);
        return going;
    }

    private static String missing(String topic) {
        return "topic " + topic + " does not exist; create it, then try again";
    }

    /** Only where it may matter: a record would be made for that alone. */
    private long sizeOf(Message message) {
        long least = message.body().length;
        return least + BESIDE_THE_BODY_MAX < settings.recordBytesMax() ? least : Records.sizeOf(records.of(message));
    }

    private String tooLarge(long bytes) {
        return "the record is too large: it takes " + bytes + " bytes, and max.request.size is "
                + settings.recordBytesMax();
    }

    private void setAside(List<Refusal> refusals) throws SQLException {
        Map<Message, String> refused = new LinkedHashMap<>();
        refusals.forEach(refusal -> refused.put(refusal.message(), refusal.reason()));
        hold(List.of(), refused);
        refused.keySet().forEach(message -> aside.add(message.id()));
    }

    private void hold(List<Message> waiting, Map<Message, String> refused) throws SQLException {
        if (waiting.isEmpty() && refused.isEmpty()) {
            return;
        }
        if (!feed.hold(waiting, refused)) {
            throw lost();
        }
        feed.metrics().handled(settings.name, Handling.QUARANTINED, refused.size());
        feed.metrics().handled(settings.name, Handling.WAITING, waiting.size());
        refused.forEach((message, reason) -> LOG.warn(
                "relay {} set message {} of operation {} aside: {}. See ./hapax quarantine list {}",
                settings.name,
                message.id(),
                message.operation(),
                reason,
                settings.name));
    }

    /** Messages that an operator wants tried again, and those that waited behind them. */
    private void tryHeld() throws SQLException {
        if (!feed.hasHeld() || next != null || feed.nanos() - heldNanos < HELD_NANOS) {
            return;
        }
        heldNanos = feed.nanos();
        for (int round = 0; round < HELD_ROUNDS && !stopping && output != null; round++) {
            List<HeldMessage> due = feed.due(HELD_BATCH);
            for (HeldMessage message : due) {
                if (output != null) {
                    tryHeld(message);
                }
            }
            if (due.isEmpty()) {
                return;
            }
        }
    }

    private void tryHeld(HeldMessage held) throws SQLException {
        Message message = held.message();
        String topic = settings.topics.getOrDefault(message.topic(), message.topic());
        if (!connector.topics().isThere(topic)) {
            feed.refused(held, missing(topic));
            return;
        }
        long bytes = sizeOf(message);
        if (bytes > settings.recordBytesMax()) {
            feed.refused(held, tooLarge(bytes));
            return;
        }
        Output open = connected();
        List<LaneMark> marks = feed.markWith(held);
        List<Refusal> refused = open.publishHeld(message, marks).refused();
        if (!refused.isEmpty()) {
            feed.refused(held, refused.getFirst().reason());
            if (open.isUsedUpByRefusals()) {
                closeOutput();
            }
            return;
        }
        marks.forEach(this::isCommitted);
        if (!feed.published(List.of(message.id()))) {
            throw lost();
        }
        settled.add(message.id());
        feed.metrics().handled(settings.name, Handling.APPLIED, 1);
    }

    /** What moves without a batch: messages of other topics that were passed, and gaps that were given up. Not while a batch is read ahead: the lanes would be said to be behind it. */
    private void leaveMarks() throws SQLException {
        if (feed.nanos() - leftNanos < LOOK_NANOS) {
            return;
        }
        leftNanos = feed.nanos();
        List<LaneMark> moved = feed.marks();
        if (!moved.isEmpty() || !settled.isEmpty()) {
            List<UUID> tombstones = List.copyOf(settled);
            connected().publish(List.of(), moved, tombstones, () -> {});
            moved.forEach(this::isCommitted);
            settled.removeAll(tombstones);
        }
        storeCopy(true);
    }

    /** A look at the history, and at the lag. Not while a batch is being read. */
    private void everySecond() throws SQLException {
        if (feed.nanos() - lookedNanos < LOOK_NANOS) {
            return;
        }
        lookedNanos = feed.nanos();
        saturated = feed.hasHeld() && feed.isSaturated();
        feed.measure(committed.values());
        List<HistoryBreak> breaks = feed.compare();
        if (!breaks.isEmpty()) {
            halt(breaks);
        }
    }

    private void measure() {
        if (committed.isEmpty() || feed.nanos() - lookedNanos < LOOK_NANOS) {
            return;
        }
        lookedNanos = feed.nanos();
        try {
            feed.measure(committed.values());
        } catch (SQLException e) {
            LOG.debug("the lag of relay {} could not be measured", settings.name, e);
        }
    }

    /** Takes the database's copy of the positions along. */
    private void storeCopy(boolean now) throws SQLException {
        if (toStore.isEmpty() || !feed.isCurrent() || !now && feed.nanos() - storedNanos < STORE_NANOS) {
            return;
        }
        storedNanos = feed.nanos();
        if (!feed.store(List.copyOf(toStore.values()))) {
            throw lost();
        }
        toStore.clear();
    }

    private void dropNextAndReadAnew() {
        if (next != null) {
            dropNext();
            feed.readFrom(committed.values());
        }
    }

    /** The feed is read by one thread at a time: what is being read ahead is waited for. */
    private void dropNext() {
        Future<FeedBatch> running = next;
        next = null;
        if (running == null) {
            return;
        }
        try {
            running.get();
        } catch (ExecutionException | CancellationException e) {
            LOG.debug("what relay {} read ahead has failed, and is not needed", settings.name, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
