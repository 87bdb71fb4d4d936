package dev.hapax.internal.saga;

import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.saga.SagaRetry;
import dev.hapax.saga.SagaStepFailedException;
import dev.hapax.saga.SagaUndo;
import dev.hapax.spi.Metrics;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Does a step, or reads what it had returned. Used by the thread of its context. */
final class StepWork<T> {

    private final SagaRun run;
    private final SagaContext context;
    private final StepPlan<T> plan;
    private final StepId id;
    private final @Nullable StepRow known;
    private final Instant since;

    StepWork(SagaRun run, SagaContext context, StepPlan<T> plan, StepId id) {
        this.run = run;
        this.context = context;
        this.plan = plan;
        this.id = id;
        this.known = run.history().find(id);
        Instant first = known == null ? null : known.beganAt;
        this.since = first == null ? run.now() : first;
    }

    T perform() {
        if (known != null && known.kind != StepRow.Kind.STEP) {
            throw run.changed("step " + id.shown() + " was a " + known.kind + ", and now is a STEP");
        }
        if (known != null && known.state.isOver()) {
            return read(known);
        }
        context.checkForward();
        Instant due = known == null || known.state != StepRow.State.TRYING ? null : known.dueAt;
        if (due != null && due.isAfter(run.now())) {
            // The saga was woken for something else: a branch, a signal.
            throw Unwinding.parked(due);
        }
        context.commitOpen();
        for (int n = 1; ; n++) {
            try {
                return attempt();
            } catch (SQLException failure) {
                if (n >= run.ground().retries().attemptsMax()) {
                    throw Unwinding.again(failure);
                }
                run.ground().telling().metrics().retried(run.saga().birth.key().scope());
                run.ground().retries().pause(n);
            }
        }
    }

    private T read(StepRow row) {
        if (row.state == StepRow.State.FAILED) {
            throw new SagaStepFailedException(id.shown(), String.valueOf(row.reason));
        }
        T value = value(row);
        register(value, row.undoable);
        return value;
    }

    @SuppressWarnings("unchecked") // a step without a result answers nothing that anybody looks at
    private T value(StepRow row) {
        Class<T> wanted = plan.type;
        if (wanted == null) {
            if (row.value != null) {
                throw run.changed(
                        "step " + id.shown() + " returned a \"" + row.value.type() + "\", and now returns nothing");
            }
            return (T) Boolean.TRUE;
        }
        if (row.value == null) {
            throw run.changed("step " + id.shown() + " returned nothing, and now returns a " + wanted.getName());
        }
        return run.decode("the result of step " + id.shown(), row.value, wanted);
    }

    private void register(T value, boolean undoable) {
        SagaUndo<? super T> undo = plan.undo;
        if (undo != null && undoable) {
            run.undoneBy(id, new Undo.Here(run.definition().rules().retryUndo(), tx -> undo.undo(value, tx)));
        }
    }

    /** One try. What others have caused comes out as a SQLException, and nothing is committed then. */
    private T attempt() throws SQLException {
        Leg leg = Leg.begin(run);
        boolean kept = false;
        try {
            T value = effect(leg);
            StepRow row = row(value);
            leg.record(row);
            if (context.commitsAtOnce()) {
                commit(leg);
            } else {
                context.keepOpen(leg);
            }
            kept = true;
            register(value, row.undoable);
            return value;
        } catch (Failed failed) {
            leg.rollback(failed.thrown);
            kept = true;
            return gaveUp(failed.thrown);
        } finally {
            if (!kept) {
                leg.rollback(new SQLException("given up"));
            }
        }
    }

    /** The step has failed, by itself. */
    private static final class Failed extends Exception {

        private static final long serialVersionUID = 1L;

        private final transient Exception thrown;

        Failed(Exception thrown) {
            super(null, thrown, false, false);
            this.thrown = thrown;
        }
    }

    private T effect(Leg leg) throws SQLException, Failed {
        try {
            limit(leg);
            T value = timed(() -> plan.effect.apply(leg.tx().of(() -> context.stepKey(id))));
            if (value == null) {
                throw new NullPointerException("step " + id.shown() + " returned null; let it return a value, or none");
            }
            checkWithin();
            return value;
        } catch (TooSlow slow) {
            throw new Failed(slow);
        } catch (Exception thrown) {
            SQLException cause = SqlFaults.find(thrown);
            if (cause != null && SqlFaults.isRetryable(cause)) {
                throw cause;
            }
            throw new Failed(thrown);
        }
    }

    /** Interrupted when its time is over; what it throws then is not its own failure. */
    private T timed(Callable<T> effect) throws Exception {
        Instant ends = ends();
        if (ends.equals(Instant.MAX)) {
            return context.inside(effect);
        }
        TimedTry timed = new TimedTry(Duration.between(run.now(), ends), this::stuck);
        run.timed().add(timed);
        try {
            return context.inside(effect);
        } catch (Exception thrown) {
            if (!timed.end()) {
                throw thrown;
            }
            if (ends.equals(run.saga().birth.deadlineAt())) {
                throw run.timedOut();
            }
            TooSlow slow = new TooSlow("it was interrupted, since it was not done within " + plan.within);
            slow.addSuppressed(thrown);
            throw slow;
        } finally {
            run.timed().remove(timed);
            timed.end();
        }
    }

    /** When a try must be over: {@link Instant#MAX} if it may take for ever. */
    private Instant ends() {
        Instant deadline = run.saga().birth.deadlineAt();
        Duration within = plan.within;
        Instant own = within == null ? Instant.MAX : since.plus(within);
        return own.isBefore(deadline) ? own : deadline;
    }

    /** What is recorded of a try that does not end: none follows. Nothing if it is the saga's time that is over, for that is seen by whoever takes it up. */
    private @Nullable StepRow stuck() {
        return isOver(run.now())
                ? failed("it was not done within " + plan.within + ", and did not end when it was interrupted")
                        .in(StepRow.State.FAILED)
                        .due(null)
                : null;
    }

    private StepRow row(T value) {
        StepRow row = known == null
                ? StepRow.fresh(id, StepRow.Kind.STEP, run.history().nextNumber())
                : known.next();
        row.undoable = plan.undo != null;
        row.attempts = attempts();
        row.in(StepRow.State.DONE);
        if (plan.type != null) {
            row.holding(run.encode("the result of step " + id.shown(), value));
        }
        row.inSaga = known == null && !context.isBranch() && run.history().fitsInSaga(row);
        return row;
    }

    private int attempts() {
        return known == null ? 1 : known.attempts + 1;
    }

    /** An answer that got lost is settled by reading the saga anew; a commit that was refused is the step's failure. */
    private static void commit(Leg leg) throws Failed {
        try {
            leg.commit();
        } catch (SQLException failure) {
            if (SqlFaults.isRetryable(failure)) {
                throw Unwinding.again(failure);
            }
            throw new Failed(failure);
        } catch (RuntimeException failure) {
            throw new Failed(failure);
        }
    }

    private void limit(Leg leg) throws SQLException {
        if (plan.within == null) {
            return;
        }
        long left = Math.max(1, Duration.between(run.now(), ends()).toMillis());
        try (PreparedStatement set =
                leg.connection().prepareStatement("SELECT set_config('statement_timeout', ?, true)")) {
            set.setString(1, Long.toString(left));
            try (ResultSet row = set.executeQuery()) {
                row.next();
            }
        }
    }

    private void checkWithin() throws TooSlow {
        run.checkTime();
        if (isOver(run.now())) {
            throw new TooSlow("it was not done within " + plan.within);
        }
    }

    private boolean isOver(Instant at) {
        Duration within = plan.within;
        return within != null && at.isAfter(since.plus(within));
    }

    /** The step's own time is over. */
    private static final class TooSlow extends Exception {

        private static final long serialVersionUID = 1L;

        TooSlow(String message) {
            super(message);
        }
    }

    /** The step as it is recorded after a failed try. */
    private StepRow failed(String reason) {
        run.ground().telling().metrics().sagaStep(run.definition().name(), Metrics.StepEvent.FAILED);
        StepRow row = known == null
                ? StepRow.fresh(id, StepRow.Kind.STEP, run.history().nextNumber())
                : known.next();
        row.attempts = attempts();
        return row.because(reason);
    }

    /** Records the failure, and comes back later or not at all. */
    private T gaveUp(Exception thrown) {
        String reason = SagaRun.describe(thrown);
        StepRow row = failed(reason);
        SagaRetry retry = plan.retry == null ? run.definition().rules().retry() : plan.retry;
        Instant due = run.now().plus(pause(retry, row.attempts));
        if (!retry.triesAgainAfter(thrown, row.attempts) || isOver(due)) {
            context.record(row.in(StepRow.State.FAILED).due(null));
            throw new SagaStepFailedException(id.shown(), reason);
        }
        context.record(row.in(StepRow.State.TRYING).due(due));
        throw Unwinding.parked(due);
    }

    /** Cut at random by up to a half, so that those that failed together don't come back together. */
    static Duration pause(SagaRetry retry, int attempts) {
        long most = retry.pauseAfter(attempts).toMillis();
        return Duration.ofMillis(most - SystemSource.INSTANCE.jitter(most / 2 + 1));
    }
}
