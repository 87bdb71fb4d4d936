package dev.hapax.internal.saga;

import dev.hapax.claim.Call;
import dev.hapax.internal.Reasons;
import dev.hapax.internal.claim.NotCalledException;
import dev.hapax.saga.SagaRefund;
import dev.hapax.saga.SagaRetry;
import dev.hapax.saga.SagaStepFailedException;
import dev.hapax.saga.SagaUndo;
import dev.hapax.spi.Metrics;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * Does a step that is a claim, or reads what it had returned. That it begins is committed first; so whoever compensates the saga knows that something may have happened, and finds out before anything is undone. Used by the thread
 * of its context, later by the one that compensates.
 */
final class ClaimWork<T> {

    private final SagaRun run;
    private final SagaContext context;
    private final ClaimPlan<T> plan;
    private final StepId id;

    ClaimWork(SagaRun run, SagaContext context, ClaimPlan<T> plan, StepId id) {
        this.run = run;
        this.context = context;
        this.plan = plan;
        this.id = id;
    }

    T perform() {
        StepRow known = context.known(id, StepRow.Kind.CLAIM);
        if (known != null && known.state.isOver()) {
            return read(known);
        }
        if (known != null) {
            run.begun(id, this);
        }
        context.checkForward();
        StepRow begun = known == null ? begin() : known;
        context.commitOpen();
        return settle(begun);
    }

    /** Committed before anything is called. */
    private StepRow begin() {
        StepRow row = StepRow.fresh(id, StepRow.Kind.CLAIM, run.history().nextNumber())
                .in(StepRow.State.OPEN)
                .due(run.now().truncatedTo(ChronoUnit.MICROS));
        row.undoable = plan.isUndoable();
        row.attempts = 0;
        context.record(row);
        context.commitOpen();
        run.begun(id, this);
        return row;
    }

    private T settle(StepRow begun) {
        ClaimTry.Said<T> said = new ClaimTry<>(run, begun, what(null)).settle();
        if (said instanceof ClaimTry.Later<T> later) {
            return later(begun, later);
        }
        return over(begun, said);
    }

    private T over(StepRow begun, ClaimTry.Said<T> said) {
        return switch (said) {
            case ClaimTry.Done<T> done -> read(done.row());
            case ClaimTry.Refused<T> refused -> read(refused.row());
            case ClaimTry.Later<T> later -> throw doubt(begun, later.why());
        };
    }

    private T later(StepRow begun, ClaimTry.Later<T> later) {
        run.ground().telling().metrics().sagaStep(run.definition().name(), Metrics.StepEvent.FAILED);
        StepRow row = again(begun, later.why());
        if (plan.retry.triesAgainAfter(new IllegalStateException(later.why()), row.attempts)) {
            context.record(row);
            throw Unwinding.parked(run.now().plus(StepWork.pause(plan.retry, row.attempts)));
        }
        if (!later.nothingDone()) {
            throw doubt(begun, later.why());
        }
        // So that a call that is on its way here comes too late.
        return over(begun, new ClaimTry<>(run, begun, what("it was given up: " + later.why())).settle());
    }

    static StepRow again(StepRow begun, String why) {
        StepRow row = begun.next().in(StepRow.State.OPEN).because(Reasons.cut(why));
        row.attempts = begun.attempts + 1;
        return row;
    }

    private Unwinding doubt(StepRow begun, String why) {
        return Unwinding.changed("claim " + id.shown() + " is not known to be done or not done (" + why + "). "
                + ClaimTry.remedy(run, begun));
    }

    private T read(StepRow row) {
        if (row.state == StepRow.State.FAILED) {
            throw new SagaStepFailedException(id.shown(), String.valueOf(row.reason));
        }
        if (row.value == null) {
            throw run.changed("claim " + id.shown() + " has no answer");
        }
        T value = run.decode("the answer of claim " + id.shown(), row.value, plan.type);
        if (row.undoable) {
            register(value);
        }
        return value;
    }

    private void register(T value) {
        SagaRetry retry = run.definition().rules().retryUndo();
        SagaUndo<? super T> undo = plan.undo;
        SagaRefund<? super T> refund = plan.refund;
        if (refund != null) {
            run.undoneBy(
                    id,
                    new Undo.ByCall(
                            retry,
                            new ClaimTry.What<>(
                                    String.class,
                                    plan.policy,
                                    call -> {
                                        refund.undo(value, call);
                                        return "undone";
                                    },
                                    plan.refundQuestion,
                                    undo == null ? null : (done, tx) -> undo.undo(value, tx),
                                    plan.within)));
        } else if (undo != null) {
            run.undoneBy(id, new Undo.Here(retry, tx -> undo.undo(value, tx)));
        }
    }

    /**
     * Finds out what became of it, as it was begun and the saga is being compensated. What was certainly not called is never called.
     *
     * @return why that is not possible yet; null if it is over
     */
    @Nullable
    String seal(StepRow begun) {
        ClaimTry.Said<T> said =
                new ClaimTry<>(run, begun, what("the saga was given up before this was called")).settle();
        if (said instanceof ClaimTry.Later<T> later) {
            return later.why();
        }
        if (said instanceof ClaimTry.Done<T> done && done.row().undoable) {
            register(done.value());
        }
        return null;
    }

    /** @param sealing why it is never to be called, if it was not; null if it is called */
    private ClaimTry.What<T> what(@Nullable String sealing) {
        return new ClaimTry.What<>(
                plan.type,
                plan.policy,
                sealing == null ? plan.action : call -> callOnlyIfCalled(call, sealing),
                plan.question,
                plan.settling,
                plan.within);
    }

    /** An earlier call may have taken effect; if the other system honours keys, a second one tells. One that can be asked has said that it did nothing. */
    private T callOnlyIfCalled(Call call, String because) throws Exception {
        if (call.attempt() <= 1 || !plan.policy.isIdempotent()) {
            throw new NotCalledException(Reasons.cut(because));
        }
        return plan.action.perform(call);
    }
}
