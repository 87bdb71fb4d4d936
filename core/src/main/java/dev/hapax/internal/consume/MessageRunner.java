package dev.hapax.internal.consume;

import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.once.ActiveTransaction;
import dev.hapax.spi.Metrics;
import dev.hapax.spi.Metrics.Handling;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs messages: many in one transaction while all goes well, fewer when something fails, one alone in the end.
 *
 * <p>The order inside a transaction is: effects, position, held messages, messages, commit. The position's update carries the token, and locks its row until the commit: whoever has
 * taken the lane over makes it change nothing, and then all is rolled back. It also makes sure that the transaction owns an xid before numbers are drawn for messages.
 *
 * <p>Used by one thread.
 */
final class MessageRunner {

    private static final Logger LOG = LoggerFactory.getLogger(MessageRunner.class);
    private static final int CHAIN_MAX = 500;

    private final ConsumerGround ground;
    private final ConsumerSettings settings;
    private final PositionStore positions;
    private final HeldStore held;
    private final Dispatch dispatch;
    private final Metrics metrics;
    private final String consumer;

    MessageRunner(ConsumerGround ground, ConsumerSettings settings, PositionStore positions, HeldStore held) {
        this.ground = ground;
        this.settings = settings;
        this.positions = positions;
        this.held = held;
        this.dispatch = new Dispatch(settings, ground.shared());
        this.metrics = ground.metrics();
        this.consumer = settings.name();
    }

    /** Another process owns a lane of this transaction; it was rolled back. */
    static final class Fenced extends Exception {

        private static final long serialVersionUID = 1L;

        Fenced() {
            super(null, null, false, false);
        }
    }

    /** The handler of one message failed; its transaction was rolled back. */
    private static final class MessageFailure extends Exception {

        private static final long serialVersionUID = 1L;

        final int index;

        MessageFailure(int index, Throwable cause) {
            super(null, cause, false, false);
            this.index = index;
        }

        Throwable reason() {
            Throwable cause = getCause();
            return cause == null ? this : cause;
        }
    }

    private void inTransaction(Connection connection, Transactional work) throws SQLException, Fenced, MessageFailure {
        boolean before = Connections.begin(connection);
        try {
            work.run();
            connection.commit();
        } catch (Throwable failure) {
            Connections.rollback(connection, failure);
            throw failure;
        } finally {
            Connections.end(connection, before);
        }
    }

    @FunctionalInterface
    private interface Transactional {
        void run() throws SQLException, Fenced, MessageFailure;
    }

    /** Handles all of them, by number within each lane. */
    void runAll(Connection connection, Map<Short, Lane> lanes, List<StoredMessage> messages, BooleanSupplier stopping)
            throws SQLException, Fenced {
        int from = 0;
        while (from < messages.size() && !stopping.getAsBoolean()) {
            from = runSome(connection, lanes, messages, from);
        }
    }

    /** Handles at least one; returns where to go on. */
    private int runSome(Connection connection, Map<Short, Lane> lanes, List<StoredMessage> messages, int from)
            throws SQLException, Fenced {
        int to = messages.size();
        MessageFailure known = null;
        for (int tries = 1; ; tries++) {
            try {
                runBatch(connection, lanes, messages.subList(from, to));
                if (known != null) {
                    setAside(connection, lanes, messages.get(to), known.reason());
                    return to + 1;
                }
                return to;
            } catch (MessageFailure failure) {
                if (failure.index == 0) {
                    setAside(connection, lanes, messages.get(from), failure.reason());
                    return from + 1;
                }
                // Those before it went well: they are committed without it, and then it is set aside.
                to = from + failure.index;
                known = failure;
            } catch (SQLException e) {
                if (SqlFaults.isOutage(e)) {
                    throw e;
                }
                if (SqlFaults.isRolledBack(e) && tries < ground.retries().attemptsMax()) {
                    metrics.batchRetried(consumer);
                    ground.retries().pause(tries);
                } else if (to - from == 1) {
                    setAside(connection, lanes, messages.get(from), e);
                    return from + 1;
                } else {
                    // Whose fault it is can't be told (a constraint that is checked at commit, say): the half that has
                    // it is found by halving.
                    to = from + (to - from) / 2;
                    known = null;
                }
            }
        }
    }

    private void runBatch(Connection connection, Map<Short, Lane> lanes, List<StoredMessage> messages)
            throws SQLException, Fenced, MessageFailure {
        long since = SystemSource.INSTANCE.nanos();
        ActiveTransaction tx = new ActiveTransaction(connection, ground.shared());
        Map<Lane, Position> moved = new LinkedHashMap<>();
        List<StoredMessage> waiting = new ArrayList<>();
        int[] applied = {0};
        boolean[] published = {false};
        inTransaction(connection, () -> {
            for (int i = 0; i < messages.size(); i++) {
                StoredMessage message = messages.get(i);
                Lane lane = lanes.get((short) message.lane());
                if (lane == null) {
                    continue;
                }
                Position position = moved.computeIfAbsent(lane, l -> l.position.copy());
                if (dispatch.isFor(message)) {
                    if (lane.suspects > 0 || (settings.holdsKeys && lane.heldKeys.contains(message.messageKey()))) {
                        waiting.add(message);
                    } else {
                        handle(connection, message, tx, i);
                        applied[0]++;
                    }
                }
                position.done(message.number());
            }
            move(connection, moved);
            held.insertWaiting(connection, waiting, settings.holdsKeys);
            published[0] = tx.flush();
        });
        moved.forEach((lane, position) -> lane.position = position);
        for (StoredMessage message : waiting) {
            Lane lane = lanes.get((short) message.lane());
            if (lane != null) {
                lane.heldKeys.add(message.messageKey());
                lane.suspects = Math.max(0, lane.suspects - 1);
            }
        }
        if (published[0]) {
            ground.signals().published();
        }
        count(messages.size(), applied[0], waiting.size(), since);
    }

    private void count(int messages, int applied, int waiting, long since) {
        metrics.handled(consumer, Handling.APPLIED, applied);
        if (waiting > 0) {
            metrics.handled(consumer, Handling.WAITING, waiting);
        }
        metrics.batch(consumer, messages, SystemSource.INSTANCE.nanos() - since);
    }

    private void handle(Connection connection, StoredMessage message, ActiveTransaction tx, int index)
            throws SQLException, MessageFailure {
        if (message.isBodyMissing()) {
            message.setBody(LogReader.body(connection, message));
        }
        try {
            dispatch.handle(message, tx);
        } catch (Throwable failure) {
            SQLException sql = SqlFaults.find(failure);
            // What the database did to the transaction is not the message's fault.
            if (sql != null && (SqlFaults.isRolledBack(sql) || SqlFaults.isOutage(sql))) {
                throw sql;
            }
            if (Thread.currentThread().isInterrupted() || failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
                throw new SQLException("interrupted: the consumer is stopping", "57P01", failure);
            }
            throw new MessageFailure(index, failure);
        }
    }

    private void move(Connection connection, Map<Lane, Position> moved) throws SQLException, Fenced {
        if (!moved.isEmpty() && !positions.move(connection, List.copyOf(moved.keySet()), List.copyOf(moved.values()))) {
            throw new Fenced();
        }
    }

    /** Moves a position by itself. */
    void move(Connection connection, Lane lane, Position position) throws SQLException, Fenced {
        try {
            inTransaction(connection, () -> move(connection, Map.of(lane, position)));
        } catch (MessageFailure e) {
            throw new AssertionError("no message was handled", e);
        }
        lane.position = position;
    }

    /** A message has failed its first try: it leaves the log's order, and waits for the next one or for a person. */
    private void setAside(Connection connection, Map<Short, Lane> lanes, StoredMessage message, Throwable reason)
            throws SQLException, Fenced {
        Lane lane = lanes.get((short) message.lane());
        if (lane == null) {
            return;
        }
        HeldStore.Failure failure = failure(1, reason);
        Position position = lane.position.copy();
        position.done(message.number());
        try {
            inTransaction(connection, () -> {
                move(connection, Map.of(lane, position));
                held.insertFailed(connection, message, failure);
            });
        } catch (MessageFailure e) {
            throw new AssertionError("no message was handled", e);
        }
        lane.position = position;
        lane.heldKeys.add(message.messageKey());
        tell(message, failure);
    }

    private HeldStore.Failure failure(int attempts, Throwable reason) {
        boolean last = attempts >= settings.quarantineAfter || reason instanceof Dispatch.Undeliverable;
        long wait = settings.backoffMillis(attempts);
        // Half fixed, half chance: messages that failed together must not come back together.
        long jittered = wait / 2 + SystemSource.INSTANCE.jitter(wait / 2 + 1);
        String message = reason.getMessage();
        String text = reason.getClass().getName() + (message == null ? "" : ": " + message);
        return new HeldStore.Failure(attempts, last ? 0 : jittered, last, text);
    }

    private void tell(StoredMessage message, HeldStore.Failure failure) {
        metrics.handled(consumer, failure.isLast() ? Handling.QUARANTINED : Handling.RETRIED, 1);
        if (failure.isLast()) {
            metrics.attempts(consumer, failure.attempts());
            LOG.warn(
                    "consumer {} set message {} of operation {} aside after {} tries; see ./hapax quarantine list {}",
                    consumer,
                    message,
                    message.operation(),
                    failure.attempts(),
                    consumer);
        } else {
            LOG.info(
                    "consumer {} failed on message {} (try {}); the next try is in {} ms",
                    consumer,
                    message,
                    failure.attempts(),
                    failure.waitMillis());
        }
    }

    /** Tries a held message, and after it those that waited behind it; returns how many were handled. */
    int runHeld(Connection connection, Lane lane, HeldStore.Due first) throws SQLException, Fenced {
        HeldStore.Due due = first;
        for (int handled = 0; handled < CHAIN_MAX; handled++) {
            Long next = tryHeld(connection, lane, due);
            HeldStore.Due follower = next == null ? null : held.find(connection, next);
            if (follower == null) {
                return handled + 1;
            }
            due = follower;
        }
        return CHAIN_MAX;
    }

    /** One try; returns the message that is next behind it, if it went well. */
    private @Nullable Long tryHeld(Connection connection, Lane lane, HeldStore.Due due) throws SQLException, Fenced {
        int attempt = due.attempts() + 1;
        if (!held.begin(connection, due, lane, settings.backoffMillis(attempt))) {
            return null;
        }
        if (attempt > settings.quarantineAfter) {
            fail(
                    connection,
                    lane,
                    due,
                    new HeldStore.Failure(
                            due.attempts(),
                            0,
                            true,
                            "its reader died while it handled this message, " + due.attempts() + " times"));
            return null;
        }
        StoredMessage message = due.message();
        if (message.isBodyMissing()) {
            message.setBody(held.body(connection, due));
        }
        Long[] next = {null};
        boolean[] more = {false};
        boolean[] published = {false};
        ActiveTransaction tx = new ActiveTransaction(connection, ground.shared());
        try {
            inTransaction(connection, () -> {
                handle(connection, message, tx, 0);
                move(connection, Map.of(lane, lane.position));
                if (!held.delete(connection, due.id())) {
                    // An operator has discarded it while it ran.
                    throw new Fenced();
                }
                next[0] = settings.holdsKeys
                        ? HeldStore.promote(connection, consumer, lane.number, message.messageKey())
                        : null;
                more[0] = next[0] != null || held.hasAny(connection, lane.number, message.messageKey());
                published[0] = tx.flush();
            });
        } catch (MessageFailure failure) {
            fail(connection, lane, due, failure(attempt, failure.reason()));
            return null;
        } catch (SQLException e) {
            if (SqlFaults.isRolledBack(e) || SqlFaults.isOutage(e)) {
                throw e;
            }
            fail(connection, lane, due, failure(attempt, e));
            return null;
        }
        if (!more[0]) {
            lane.heldKeys.remove(message.messageKey());
        }
        if (published[0]) {
            ground.signals().published();
        }
        metrics.handled(consumer, Handling.APPLIED, 1);
        metrics.attempts(consumer, attempt);
        return next[0];
    }

    private void fail(Connection connection, Lane lane, HeldStore.Due due, HeldStore.Failure failure)
            throws SQLException, Fenced {
        try {
            inTransaction(connection, () -> {
                move(connection, Map.of(lane, lane.position));
                held.failed(connection, due, failure);
            });
        } catch (MessageFailure e) {
            throw new AssertionError("no message was handled", e);
        }
        tell(due.message(), failure);
    }
}
