package dev.hapax.internal.saga;

import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.internal.ChildIds;
import dev.hapax.internal.Reasons;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.saga.SagaState;
import dev.hapax.saga.SagaStepFailedException;
import dev.hapax.spi.Encoded;
import dev.hapax.spi.Metrics;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of a saga's code by its owner: from its start, or from where it was taken up, until it ends, sleeps, or is lost.
 *
 * <p>What makes it exact. A step's effect, its result and its messages are one transaction ({@link Leg}), whose last write names the owner's token and the state that it thinks the saga is in, and holds the
 * saga's row until the commit. So of two owners one commits, and a step that comes after a cancellation changes nothing. A step that is recorded is never run again: its result is read. A commit whose answer was lost
 * is settled by reading the saga anew and running the code again.
 *
 * <p>The last step stays uncommitted until the code says what comes next: so the end of the saga, or its going to sleep, is in the same commit. Its result is in the code's hands by then; if that commit fails, the code
 * is run again from its beginning, and from then on every step is committed before its result is given out. So code that is slow between two steps, or waits for something that its own uncommitted step holds,
 * is in its own way once and not for ever.
 *
 * <p>Used by one thread, but for what the threads of its branches share.
 */
final class SagaRun {

    private static final Logger LOG = LoggerFactory.getLogger(SagaRun.class);

    /** How a run has ended. */
    enum Outcome {
        /** The saga has ended. */
        ENDED,
        /** It sleeps, waits, or is tried again later. */
        PARKED,
        /** It needs a person. */
        STUCK,
        /** It has another owner, or has been cancelled. */
        FENCED,
        /** It had been started before. */
        STARTED_BEFORE,
        /** It could not be started; see {@link #refusal}. */
        REFUSED,
        /** The database can't be reached, or something else is in the way that will pass: it is ours, and can be taken up again. */
        GIVEN_UP
    }

    private final SagaEngine engine;
    private final SagaGround ground;
    private final Definition definition;
    private final SagaRow saga;
    private final Object input;
    private final Map<StepId, Undo> undos = new HashMap<>();
    private final Map<StepId, ClaimWork<?>> claims = new HashMap<>();
    private final Runnable whenStarted;
    private @Nullable History history;
    private final OpenLeg open = new OpenLeg(this);
    private @Nullable RuntimeException refusal;
    private SagaStore.@Nullable Ended ended;
    private volatile boolean stored;
    private volatile long leasedNanos = SystemSource.INSTANCE.nanos();
    private boolean startedHere;
    private boolean eager;
    private volatile boolean fenced;
    private final Set<TimedTry> timed = ConcurrentHashMap.newKeySet();

    private SagaRun(SagaEngine engine, Definition definition, SagaRow saga, Object input, Runnable whenStarted) {
        this.engine = engine;
        this.ground = engine.ground();
        this.definition = definition;
        this.saga = saga;
        this.input = input;
        this.whenStarted = whenStarted;
    }

    /**
     * A saga that is to be started, together with its first step.
     *
     * @param whenStarted called once, after the commit that starts it
     */
    static SagaRun start(SagaEngine engine, Definition definition, SagaRow saga, Object input, Runnable whenStarted) {
        SagaRun run = new SagaRun(engine, definition, saga, input, whenStarted);
        run.history = new History();
        return run;
    }

    /**
     * A saga that was taken up.
     *
     * @throws IllegalArgumentException if its input can't be read
     */
    static SagaRun resume(SagaEngine engine, Definition definition, SagaRow saga) {
        Object input = engine.ground()
                .shared()
                .codec()
                .decode(saga.input.type(), saga.input.body(), definition.work().input());
        SagaRun run = new SagaRun(engine, definition, saga, input, () -> {});
        run.stored = true;
        // Its last owner was lost: perhaps because of what it did between two steps.
        run.eager = saga.losses > 0;
        return run;
    }

    SagaEngine engine() {
        return engine;
    }

    SagaGround ground() {
        return ground;
    }

    Definition definition() {
        return definition;
    }

    SagaRow saga() {
        return saga;
    }

    History history() {
        return Objects.requireNonNull(history);
    }

    boolean hasChildren() {
        return history().hasChildren();
    }

    boolean isEager() {
        return eager;
    }

    /** What it has ended with, after {@link Outcome#ENDED}. */
    SagaStore.@Nullable Ended ended() {
        return ended;
    }

    /** Why it could not be started, or why it was given up before it was. */
    @Nullable
    RuntimeException refusal() {
        return refusal;
    }

    /** Another thread has found out that it is no longer ours. */
    void fence() {
        fenced = true;
    }

    boolean isFenced() {
        return fenced;
    }

    /** Its steps that are being tried now and whose time is limited: one, or one in each of its branches. */
    Set<TimedTry> timed() {
        return timed;
    }

    boolean isStored() {
        return stored;
    }

    /** When its lease was last put off. */
    long leasedNanos() {
        return leasedNanos;
    }

    void leased(long nanos) {
        leasedNanos = nanos;
    }

    void checkOwner() {
        if (fenced) {
            throw Unwinding.of(Unwinding.Why.FENCED);
        }
    }

    /** The key that its steps' keys are children of. */
    Key key() {
        return sagaKey(saga.birth.key(), definition.name());
    }

    /** Another operation than what the caller may do under the same key, and another for each definition. */
    static Key sagaKey(Key key, String name) {
        return ChildIds.ownKey(key, "saga/" + name);
    }

    /** The key of a step's transaction, or of its compensation's. */
    Key stepKey(StepId id) {
        return ChildIds.ownKey(key(), (id.undo() ? "undo/" : "step/") + id.shown());
    }

    /** The same for what is marked for itself: its time is when it began, so a saga may be older than the window of its scope. */
    Key stepKey(StepId id, Instant began) {
        Key key = stepKey(id);
        UUID known = UUID.fromString(key.id());
        // No version that tells a time.
        UUID timeless = new UUID(known.getMostSignificantBits() & ~0xF000L | 0x8000L, known.getLeastSignificantBits());
        return Key.of(key.scope(), timeless.toString())
                .producer(key.producer().orElseThrow())
                .at(began);
    }

    /** Runs it. Never throws but what stops the JVM. */
    Outcome run() {
        if (saga.losses > 0) {
            ground.telling().metrics().saga(definition.name(), Metrics.SagaEvent.TAKEN_OVER);
        }
        int failures = 0;
        while (true) {
            try {
                return attempt();
            } catch (Unwinding unwinding) {
                switch (unwinding.why()) {
                    case STARTED_BEFORE -> {
                        return Outcome.STARTED_BEFORE;
                    }
                    case REFUSED -> {
                        refusal = (RuntimeException) unwinding.getCause();
                        return Outcome.REFUSED;
                    }
                    case FENCED -> {
                        return fencedAway();
                    }
                    default -> {
                        failures += unwinding.getCause() == null ? 0 : 1;
                        if (failures >= ground.retries().attemptsMax()) {
                            return giveUp(unwinding.getCause());
                        }
                    }
                }
            } catch (SQLException failure) {
                if (++failures >= ground.retries().attemptsMax()) {
                    return giveUp(failure);
                }
            } catch (RuntimeException failure) {
                return giveUp(failure);
            } finally {
                open.drop();
            }
            Outcome outcome = again(failures);
            if (outcome != null) {
                return outcome;
            }
        }
    }

    private Outcome fencedAway() {
        ground.telling().metrics().saga(definition.name(), Metrics.SagaEvent.FENCED);
        LOG.debug("saga {} of {} has another owner, or was cancelled", saga.birth.key(), definition.name());
        return Outcome.FENCED;
    }

    private Outcome giveUp(@Nullable Throwable failure) {
        LOG.warn(
                "saga {} of {} could not be run on and is taken up again soon: {}",
                saga.birth.key(),
                definition.name(),
                String.valueOf(failure));
        if (!stored) {
            refusal = new RetryException(
                    "it is not known whether saga " + saga.birth.key() + " of " + definition.name()
                            + " was started; call again with the same key (" + failure + ")",
                    failure);
        }
        return Outcome.GIVEN_UP;
    }

    /** Reads the saga anew, after which its code is run again; null if it is still ours. */
    private @Nullable Outcome again(int failures) {
        eager = true;
        try {
            if (failures > 0) {
                ground.retries().pause(failures);
            }
            return ground.connections()
                    .autoCommit(connection -> Optional.ofNullable(reload(connection)))
                    .orElse(null);
        } catch (SQLException | RetryException e) {
            return giveUp(e);
        }
    }

    private @Nullable Outcome reload(Connection connection) throws SQLException {
        undos.clear();
        claims.clear();
        SagaRow now = SagaStore.find(connection, saga.id());
        if (now == null) {
            ended = SagaStore.findEnded(connection, saga.id());
            if (ended == null) {
                // Never started, or ended so long ago that its day is gone.
                return stored ? fencedAway() : null;
            }
            boolean ours = startedHere || stored;
            started();
            return ours ? Outcome.ENDED : Outcome.STARTED_BEFORE;
        }
        boolean mine = now.token == saga.token && Objects.equals(now.owner, saga.owner);
        if (!mine) {
            return stored || startedHere ? fencedAway() : Outcome.STARTED_BEFORE;
        }
        saga.state = now.state;
        saga.cause = now.cause;
        saga.reason = now.reason;
        saga.pokes = now.pokes;
        history = History.load(connection, saga);
        started();
        return null;
    }

    private void started() {
        if (!stored) {
            stored = true;
            whenStarted.run();
        }
    }

    /** One run of the code, from its beginning to its end. */
    private Outcome attempt() throws SQLException {
        if (history == null) {
            history = ground.connections().autoCommit(connection -> History.load(connection, saga));
        }
        if (saga.state == SagaState.COMPENSATING) {
            collect();
            try {
                return compensate();
            } catch (Unwinding unwinding) {
                if (unwinding.why() == Unwinding.Why.PARKED) {
                    return park(unwinding.due());
                }
                throw unwinding;
            }
        }
        try {
            return end(SagaState.COMPLETED, answer(new SagaContext(this, false, "", open)));
        } catch (Unwinding unwinding) {
            return switch (unwinding.why()) {
                case PARKED -> park(unwinding.due());
                case CHANGED -> stuck(unwinding.said());
                case TIMED_OUT -> fail(SagaRow.Cause.TIMED_OUT, unwinding.said());
                default -> throw unwinding;
            };
        } catch (CodeFailure failure) {
            return fail(SagaRow.Cause.FAILED, describe(failure.thrown));
        }
    }

    /** A failure of the saga's code, on its way through ours. */
    private static final class CodeFailure extends Exception {

        private static final long serialVersionUID = 1L;

        private final transient Exception thrown;

        CodeFailure(Exception thrown) {
            super(null, thrown, false, false);
            this.thrown = thrown;
        }
    }

    private @Nullable Encoded answer(SagaContext context) throws CodeFailure {
        try {
            Object value = definition.work().code().run(context, input);
            context.finish();
            return value == null ? null : encode("its answer", value);
        } catch (Exception failure) {
            // It may have caught what was to end it.
            context.checkUnwound();
            throw new CodeFailure(failure);
        }
    }

    /** Runs the code as far as it was done, to learn what undoes it. Whether all of it is known is seen when it is needed. */
    private void collect() {
        try {
            definition.work().code().run(new SagaContext(this, true, "", open), input);
        } catch (Exception | Unwinding end) {
            LOG.debug("the code of saga {} ended at {}", saga.birth.key(), end.toString());
        }
    }

    void undoneBy(StepId step, Undo undo) {
        synchronized (undos) {
            undos.put(step, undo);
        }
    }

    /** A claim that was begun: before anything is undone, it must be known what became of it. */
    void begun(StepId step, ClaimWork<?> claim) {
        synchronized (undos) {
            claims.put(step, claim);
        }
    }

    private Outcome compensate() throws SQLException {
        return new Compensation(this, undos, claims).run();
    }

    Outcome end(SagaState state, @Nullable Encoded answer) throws SQLException {
        SagaStore.Ended end = new SagaStore.Ended(state, saga.reason, answer);
        leg().commitAndEnd(new SagaStore.Ending(state, answer));
        open.committed();
        saga.become(state);
        ended = end;
        return Outcome.ENDED;
    }

    private Outcome fail(SagaRow.Cause cause, String reason) throws SQLException {
        leg().commitWith(connection -> SagaStore.compensate(connection, saga, cause, reason));
        open.committed();
        saga.become(SagaState.COMPENSATING);
        saga.cause = cause;
        saga.reason = reason;
        return compensate();
    }

    /** Goes to sleep; what came meanwhile wakes it at once. */
    Outcome park(Instant due) throws SQLException {
        SagaState parked = saga.state == SagaState.COMPENSATING ? SagaState.COMPENSATING : SagaState.WAITING;
        Instant until =
                parked == SagaState.WAITING && saga.birth.deadlineAt().isBefore(due) ? saga.birth.deadlineAt() : due;
        boolean sleeps = leg().commitAndPark(parked, until);
        open.committed();
        if (!sleeps) {
            throw Unwinding.again(null);
        }
        saga.become(parked);
        return Outcome.PARKED;
    }

    Outcome stuck(String because) throws SQLException {
        LOG.warn("saga {} of {} is stuck: {}", saga.birth.key(), definition.name(), because);
        leg().commitWith(connection -> SagaStore.stuck(connection, saga, Reasons.cut(because)));
        open.committed();
        saga.become(SagaState.STUCK);
        saga.reason = because;
        return Outcome.STUCK;
    }

    /** The transaction that is open on the saga's own thread, or a new one. */
    Leg leg() throws SQLException {
        return open.leg();
    }

    OpenLeg open() {
        return open;
    }

    /** Commits its start if that has not been done, before branches need it. */
    void ensureStored() {
        if (stored) {
            return;
        }
        try {
            open.leg();
        } catch (SQLException e) {
            throw Unwinding.again(e);
        }
        open.commit();
    }

    /**
     * Starts the saga in this transaction, unless it is there already.
     *
     * @return whether it did
     */
    boolean startIn(Connection connection) throws SQLException {
        if (stored) {
            return false;
        }
        try {
            boolean isNew = SagaStart.in(
                    ground,
                    connection,
                    saga,
                    new SagaStart.Order(
                            definition.name(), definition.rules().lease().toMillis() / 1000.0, input));
            if (!isNew) {
                throw Unwinding.of(Unwinding.Why.STARTED_BEFORE);
            }
            startedHere = true;
            return true;
        } catch (RetryException e) {
            SQLException cause = SqlFaults.find(e);
            throw cause == null ? new SQLTransientException(e.getMessage(), e) : cause;
        } catch (RuntimeException e) {
            throw Unwinding.refused(e);
        }
    }

    /** A transaction of ours has committed. */
    void committed(boolean starting, List<StepRow> steps) {
        Objects.requireNonNull(history);
        for (StepRow step : steps) {
            history.put(step);
            if (step.state == StepRow.State.DONE && step.kind.isWork()) {
                ground.telling()
                        .metrics()
                        .sagaStep(
                                definition.name(), step.id.undo() ? Metrics.StepEvent.UNDONE : Metrics.StepEvent.DONE);
            }
        }
        if (starting) {
            started();
        }
    }

    /** Stored by the service's codec; what it can't store is a mistake in the code, which a person can mend. */
    Encoded encode(String what, Object value) {
        Encoded encoded;
        try {
            encoded = ground.shared().codec().encode(value);
        } catch (IllegalArgumentException e) {
            throw Unwinding.changed(what + " can't be stored: " + e.getMessage());
        }
        if (encoded.body().length > ground.shared().bytesMax()) {
            throw Unwinding.changed(what + " takes " + encoded.body().length + " bytes; at most "
                    + ground.shared().bytesMax() + " are kept (payloadMax). Keep a reference to it instead");
        }
        return encoded;
    }

    <T> T decode(String what, Encoded stored, Class<T> wanted) {
        try {
            return ground.shared().codec().decode(stored.type(), stored.body(), wanted);
        } catch (IllegalArgumentException e) {
            throw changed(what + " is stored as \"" + stored.type() + "\" and can't be read as " + wanted.getName()
                    + ": " + e.getMessage());
        }
    }

    /** The code does not fit what was done. */
    Unwinding changed(String what) {
        return Unwinding.changed(
                what + ". The code of version " + definition.version() + " of " + definition.name()
                        + " has been changed under a saga in flight: put it back, or give a changed step another name and changed code another version");
    }

    Instant now() {
        return ground.time().clock().instant();
    }

    /** Before anything more is done. */
    void checkTime() {
        if (!now().isBefore(saga.birth.deadlineAt())) {
            throw timedOut();
        }
    }

    Unwinding timedOut() {
        return Unwinding.timedOut("its time was over at " + saga.birth.deadlineAt());
    }

    /** What a failure is stored as: its class and message. */
    static String describe(Throwable failure) {
        String message = failure.getMessage();
        if (failure instanceof SagaStepFailedException && message != null) {
            return Reasons.cut(message);
        }
        return Reasons.cut(failure.getClass().getName() + (message == null ? "" : ": " + message));
    }
}
