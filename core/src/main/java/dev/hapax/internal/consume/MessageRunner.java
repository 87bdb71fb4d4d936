package dev.hapax.internal.consume;

import dev.hapax.RetryException;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.consume.Failures.BatchFailure;
import dev.hapax.internal.consume.Failures.Fenced;
import dev.hapax.internal.consume.Failures.MessageFailure;
import dev.hapax.internal.consume.Progress.Moves;
import dev.hapax.internal.log.Lanes;
import dev.hapax.internal.once.ActiveTransaction;
import dev.hapax.spi.Metrics;
import dev.hapax.spi.Metrics.Handling;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs messages: many in one transaction while all goes well, fewer when something fails, one alone in the end. Where they come from, and how their position is kept, is another's business
 * ({@link Progress}).
 *
 * <p>The order inside a transaction is: markers (where the consumer has them), effects, position, held messages, messages, commit. The position's update carries the token, and locks its row until
 * the commit: whoever has taken the share over makes it change nothing, and then all is rolled back. It also makes sure that the transaction owns an xid before numbers are drawn for messages.
 *
 * <p>Used by one thread.
 */
final class MessageRunner {

    private static final Logger LOG = LoggerFactory.getLogger(MessageRunner.class);
    private static final int CHAIN_MAX = 500;

    private final ConsumerGround ground;
    private final ConsumerSettings settings;
    private final Progress progress;
    private final HeldStore held;
    private final Dispatch dispatch;
    private final Repeats repeats;
    private final Metrics metrics;
    private final String consumer;
    private final BooleanSupplier overdue;

    /** Held messages whose last try was cut off by the database or by a stop, and is still to be taken back. */
    private final List<HeldStore.Due> cutOff = new ArrayList<>();

    /** @param overdue whether the time to stop is over: what is not committed by then is rolled back */
    MessageRunner(
            ConsumerGround ground,
            ConsumerSettings settings,
            Progress progress,
            HeldStore held,
            BooleanSupplier overdue) {
        this.ground = ground;
        this.overdue = overdue;
        this.settings = settings;
        this.progress = progress;
        this.held = held;
        this.dispatch = new Dispatch(settings, ground.shared(), overdue);
        this.repeats = new Repeats(settings, ground.once());
        this.metrics = ground.metrics();
        this.consumer = settings.name();
    }

    /** Runs work that ends with its commit. */
    private void inTransaction(Connection connection, Transactional work)
            throws SQLException, Fenced, MessageFailure, BatchFailure {
        boolean before = Connections.begin(connection);
        try {
            work.run();
        } catch (Throwable failure) {
            Connections.rollback(connection, failure);
            throw failure;
        } finally {
            Connections.end(connection, before);
        }
    }

    @FunctionalInterface
    private interface Transactional {
        void run() throws SQLException, Fenced, MessageFailure, BatchFailure;
    }

    /** Runs work in which no message is handled, and commits. */
    private void written(Connection connection, Transactional work) throws SQLException, Fenced {
        try {
            inTransaction(connection, () -> {
                work.run();
                connection.commit();
            });
        } catch (MessageFailure | BatchFailure e) {
            throw new AssertionError("no message was handled", e);
        }
    }

    /** Handles all of them, in their order within each share, or until it is to stop; returns how many are done. */
    int runAll(Connection connection, List<ReadMessage> messages, BooleanSupplier stopping)
            throws SQLException, Fenced {
        int from = 0;
        while (from < messages.size() && !stopping.getAsBoolean()) {
            from = runSome(connection, messages, from);
        }
        return from;
    }

    /** Handles at least one; returns where to go on. */
    private int runSome(Connection connection, List<ReadMessage> messages, int from) throws SQLException, Fenced {
        List<ReadMessage> batch = together(connection, messages.subList(from, messages.size()));
        int to = batch.size();
        MessageFailure known = null;
        for (int tries = 1; ; tries++) {
            try {
                runBatch(connection, batch.subList(0, to));
                if (known != null) {
                    setAside(connection, batch.get(to), known.reason());
                    return from + to + 1;
                }
                return from + to;
            } catch (MessageFailure failure) {
                if (failure.index == 0) {
                    setAside(connection, batch.getFirst(), failure.reason());
                    return from + 1;
                }
                // Those before it went well: they are committed without it, and then it is set aside.
                to = failure.index;
                known = failure;
            } catch (BatchFailure failure) {
                // Whose fault it is can't be told (a handler of many, a constraint that is checked at commit): the half
                // that has it is found by halving.
                to = to / 2;
                known = null;
            } catch (SQLException e) {
                if (isAgain(e, tries)) {
                    continue;
                }
                if (to == 1) {
                    setAside(connection, batch.getFirst(), e);
                    return from + 1;
                }
                to = to / 2;
                known = null;
            }
        }
    }

    /** The first of them, with their bodies, as many as are worked on at once. */
    private List<ReadMessage> together(Connection connection, List<ReadMessage> messages) throws SQLException {
        List<ReadMessage> batch = new ArrayList<>();
        long bytes = 0;
        for (ReadMessage message : messages) {
            if (bytes > ReadMessage.TOGETHER_BYTES_MAX) {
                break;
            }
            ReadMessage whole = message.isBodyMissing() && isHandled(message)
                    ? message.with(progress.body(connection, message))
                    : message;
            batch.add(whole);
            bytes += whole.size();
        }
        return batch;
    }

    /**
     * Whether the transaction is to be done again, after a pause; if not, its message failed.
     *
     * @throws SQLException the same, if nothing can be done here for now
     */
    private boolean isAgain(SQLException e, int tries) throws SQLException {
        if (SqlFaults.isOutage(e) || overdue.getAsBoolean()) {
            throw e;
        }
        if (!SqlFaults.isRolledBack(e) || tries >= ground.retries().attemptsMax()) {
            return false;
        }
        metrics.batchRetried(consumer);
        try {
            ground.retries().pause(tries);
        } catch (RetryException interrupted) {
            e.addSuppressed(interrupted);
            throw e;
        }
        return true;
    }

    private void runBatch(Connection connection, List<ReadMessage> messages)
            throws SQLException, Fenced, MessageFailure, BatchFailure {
        long since = SystemSource.INSTANCE.nanos();
        ActiveTransaction tx = new ActiveTransaction(connection, ground.shared());
        Dispatch.Run run = dispatch.run(tx);
        Moves moves = progress.begin();
        List<ReadMessage> waiting = new ArrayList<>();
        int[] counts = new int[2];
        int[] published = {Lanes.NONE};
        inTransaction(connection, () -> {
            Repeats.Seen seen = repeats.mark(connection, messages, this::isHandled);
            for (int i = 0; i < messages.size(); i++) {
                ReadMessage message = messages.get(i);
                Share share = progress.shareOf(message);
                if (share == null) {
                    continue;
                }
                if (isHandled(message)) {
                    if (seen.isRepeat(i)) {
                        counts[1]++;
                    } else {
                        run.handle(message, i);
                        counts[0]++;
                    }
                } else if (dispatch.isFor(message)) {
                    waiting.add(message);
                }
                moves.done(share, message);
            }
            run.end();
            move(connection, moves);
            held.insertWaiting(connection, waiting, settings.holdsKeys);
            dispatch.checkTime();
            published[0] = tx.flushAndCommit();
        });
        moves.committed();
        for (ReadMessage message : waiting) {
            Share share = progress.shareOf(message);
            if (share != null) {
                share.heldKeys.add(message.messageKey());
                share.suspects = Math.max(0, share.suspects - 1);
            }
        }
        ground.signals().published(published[0]);
        metrics.handled(consumer, Handling.APPLIED, counts[0]);
        if (counts[1] > 0) {
            metrics.handled(consumer, Handling.REPEATED, counts[1]);
        }
        if (!waiting.isEmpty()) {
            metrics.handled(consumer, Handling.WAITING, waiting.size());
        }
        metrics.batch(consumer, messages.size(), SystemSource.INSTANCE.nanos() - since);
    }

    /** Whether it is handled now: it is for this consumer, and need not wait. */
    private boolean isHandled(ReadMessage message) {
        Share share = progress.shareOf(message);
        return share != null
                && dispatch.isFor(message)
                && share.suspects == 0
                && !(settings.holdsKeys && !share.heldKeys.isEmpty() && share.heldKeys.contains(message.messageKey()));
    }

    private static void move(Connection connection, Moves moves) throws SQLException, Fenced {
        if (!moves.write(connection)) {
            throw new Fenced();
        }
    }

    /** Moves positions by themselves. */
    void commit(Connection connection, Moves moves) throws SQLException, Fenced {
        written(connection, () -> move(connection, moves));
        moves.committed();
    }

    /** A message has failed its first try: it leaves the source's order, and waits for the next one or for a person. */
    private void setAside(Connection connection, ReadMessage message, Throwable reason) throws SQLException, Fenced {
        Share share = progress.shareOf(message);
        if (share == null) {
            return;
        }
        HeldStore.Failure failure = failure(1, reason);
        Moves moves = progress.begin();
        moves.done(share, message);
        written(connection, () -> {
            move(connection, moves);
            held.insertFailed(connection, message, failure);
        });
        moves.committed();
        share.heldKeys.add(message.messageKey());
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

    private void tell(ReadMessage message, HeldStore.Failure failure) {
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
    int runHeld(Connection connection, Share share, HeldStore.Due first) throws SQLException, Fenced {
        HeldStore.Due due = first;
        for (int handled = 0; handled < CHAIN_MAX; handled++) {
            Long next = tryHeld(connection, share, due);
            HeldStore.Due follower = next == null ? null : held.find(connection, next);
            if (follower == null) {
                return handled + 1;
            }
            due = follower;
        }
        return CHAIN_MAX;
    }

    /** One try; returns the message that is next behind it, if it went well. */
    private @Nullable Long tryHeld(Connection connection, Share share, HeldStore.Due due) throws SQLException, Fenced {
        int attempt = due.attempts() + 1;
        if (!held.begin(connection, due, share, settings.backoffMillis(attempt))) {
            return null;
        }
        if (attempt > settings.quarantineAfter) {
            fail(
                    connection,
                    share,
                    due,
                    new HeldStore.Failure(
                            due.attempts(),
                            0,
                            true,
                            "its reader died while it handled this message, " + due.attempts() + " times"));
            return null;
        }
        for (int tries = 1; ; tries++) {
            try {
                return handleHeld(connection, share, due);
            } catch (MessageFailure failure) {
                fail(connection, share, due, failure(attempt, failure.reason()));
                return null;
            } catch (BatchFailure failure) {
                throw new AssertionError("one message is no batch", failure);
            } catch (SQLException e) {
                if (!isAgain(e, tries, due)) {
                    fail(connection, share, due, failure(attempt, e));
                    return null;
                }
            }
        }
    }

    /** As {@link #isAgain(SQLException, int)}. A try that the database or a stop has cut off tells nothing of its message, and does not count. */
    private boolean isAgain(SQLException e, int tries, HeldStore.Due due) throws SQLException {
        try {
            return isAgain(e, tries);
        } catch (SQLException cut) {
            cutOff.add(due);
            throw cut;
        }
    }

    /** Whether tries were cut off that are still counted. */
    boolean hasCutOff() {
        return !cutOff.isEmpty();
    }

    /** Takes back the tries that were cut off. */
    void takeBack(Connection connection) throws SQLException {
        while (!cutOff.isEmpty()) {
            held.takeBack(connection, cutOff.getLast());
            cutOff.removeLast();
        }
    }

    private @Nullable Long handleHeld(Connection connection, Share share, HeldStore.Due due)
            throws SQLException, Fenced, MessageFailure, BatchFailure {
        ReadMessage message =
                due.message().isBodyMissing() ? due.message().with(held.body(connection, due)) : due.message();
        Long[] next = {null};
        boolean[] more = {false};
        boolean[] repeat = {false};
        int[] published = {Lanes.NONE};
        ActiveTransaction tx = new ActiveTransaction(connection, ground.shared());
        Dispatch.Run run = dispatch.run(tx);
        Moves moves = progress.begin();
        moves.keep(share);
        inTransaction(connection, () -> {
            repeat[0] = repeats.mark(connection, List.of(message), any -> true).isRepeat(0);
            if (!repeat[0]) {
                run.handle(message, 0);
                run.end();
            }
            move(connection, moves);
            if (!held.delete(connection, due.id())) {
                // An operator has discarded it while it ran.
                throw new Fenced();
            }
            next[0] = settings.holdsKeys
                    ? HeldStore.promote(connection, consumer, message.heldLane(), message.messageKey())
                    : null;
            more[0] = next[0] != null || held.hasAny(connection, message.heldLane(), message.messageKey());
            dispatch.checkTime();
            published[0] = tx.flushAndCommit();
        });
        moves.committed();
        if (!more[0]) {
            share.heldKeys.remove(message.messageKey());
        }
        ground.signals().published(published[0]);
        metrics.handled(consumer, repeat[0] ? Handling.REPEATED : Handling.APPLIED, 1);
        metrics.attempts(consumer, due.attempts() + 1);
        return next[0];
    }

    private void fail(Connection connection, Share share, HeldStore.Due due, HeldStore.Failure failure)
            throws SQLException, Fenced {
        Moves moves = progress.begin();
        moves.keep(share);
        written(connection, () -> {
            move(connection, moves);
            held.failed(connection, due, failure);
        });
        tell(due.message(), failure);
    }
}
