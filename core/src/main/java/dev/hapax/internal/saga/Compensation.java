package dev.hapax.internal.saga;

import dev.hapax.internal.SqlFaults;
import dev.hapax.saga.SagaRetry;
import dev.hapax.spi.Metrics;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Undoes what a saga has done, the last first, each once: in a transaction that also records that it was undone. One that fails is tried again later; the others wait behind it, since they may rest on it. Children that are still
 * on their way are told at once; what became of claims that were begun is found out before they are undone. Used by one thread.
 */
final class Compensation {

    private final SagaRun run;
    private final Map<StepId, Undo> known;
    private final Map<StepId, ClaimWork<?>> claims;

    /**
     * @param known what the saga's code has said
     * @param claims that were begun
     */
    Compensation(SagaRun run, Map<StepId, Undo> known, Map<StepId, ClaimWork<?>> claims) {
        this.run = run;
        this.known = known;
        this.claims = claims;
    }

    SagaRun.Outcome run() throws SQLException {
        stopChildren();
        while (true) {
            List<StepRow> left = run.history().toUndo();
            if (left.isEmpty()) {
                return run.end(run.saga().undone(), null);
            }
            run.checkOwner();
            StepRow step = left.getFirst();
            SagaRun.Outcome outcome = switch (step.kind) {
                case CHILD -> undoChild(step);
                case CLAIM -> step.state.isOver() ? undo(step, left.size() == 1) : seal(step);
                default -> undo(step, left.size() == 1);
            };
            if (outcome != null) {
                return outcome;
            }
        }
    }

    /** All that run beside each other, before one of them is waited for. */
    private void stopChildren() throws SQLException {
        if (run.history().hasOpenChildren()) {
            run.leg().commitWith(connection -> {
                ChildSql.stopAll(connection, run.saga());
                return true;
            });
            run.open().committed();
            run.engine().keeper().nudge();
        }
    }

    /** A child that has come to its end is undone from there, one that has not from where it is; then it is waited for. */
    private SagaRun.@Nullable Outcome undoChild(StepRow step) throws SQLException {
        StepId id = step.id.undoing();
        StepRow before = run.history().find(id);
        StepRow row = before == null
                ? StepRow.fresh(id, StepRow.Kind.CHILD, run.history().nextNumber())
                : before.next();
        Leg leg = run.leg();
        boolean over = ChildSql.undo(leg.connection(), run.saga(), ChildWork.key(run, step.id));
        if (over) {
            leg.record(row.in(StepRow.State.DONE));
            run.open().commit();
            return null;
        }
        if (before == null) {
            leg.record(row.in(StepRow.State.OPEN));
        }
        SagaRun.Outcome parked = run.park(Instant.MAX);
        run.engine().keeper().nudge();
        return parked;
    }

    private SagaRun.@Nullable Outcome seal(StepRow step) throws SQLException {
        ClaimWork<?> claim = claims.get(step.id);
        if (claim == null) {
            return unknown(step);
        }
        String why = claim.seal(step);
        if (why == null) {
            return null;
        }
        StepRow row = ClaimWork.again(step, why);
        return later(
                run.definition().rules().retryUndo(),
                row,
                new IllegalStateException(why),
                "claim " + step.id.shown() + " is not known to be done or not done (" + why + "). "
                        + ClaimTry.remedy(run, step));
    }

    private SagaRun.Outcome unknown(StepRow step) throws SQLException {
        return run.stuck(
                "step " + step.id.shown() + " was done, and the code of version "
                        + run.definition().version()
                        + " does not pass it again, so what undoes it is not known. Put the code back, or undo the step by hand and skip it");
    }

    private SagaRun.@Nullable Outcome undo(StepRow step, boolean last) throws SQLException {
        return switch (known.get(step.id)) {
            case null -> unknown(step);
            case Undo.Here here -> undoHere(step, here, last);
            case Undo.ByCall call -> undoByCall(step, call);
        };
    }

    private SagaRun.@Nullable Outcome undoHere(StepRow step, Undo.Here undo, boolean last) throws SQLException {
        StepId id = step.id.undoing();
        StepRow before = run.history().find(id);
        StepRow row = before == null
                ? StepRow.fresh(id, StepRow.Kind.STEP, run.history().nextNumber())
                : before.next();
        row.attempts = before == null ? 1 : before.attempts + 1;
        try {
            Leg leg = run.leg();
            undo.how().apply(leg.tx().of(() -> run.stepKey(id)));
            leg.record(row.in(StepRow.State.DONE).due(null));
        } catch (SQLException failure) {
            if (SqlFaults.isRetryable(failure)) {
                throw failure;
            }
            return failed(step, undo.retry(), row, failure);
        } catch (Exception failure) {
            SQLException cause = SqlFaults.find(failure);
            if (cause != null && SqlFaults.isRetryable(cause)) {
                throw cause;
            }
            return failed(step, undo.retry(), row, failure);
        }
        if (last) {
            return run.end(run.saga().undone(), null);
        }
        run.open().commit();
        return null;
    }

    private SagaRun.Outcome failed(StepRow step, SagaRetry retry, StepRow row, Exception failure) throws SQLException {
        run.open().drop();
        row.reason = SagaRun.describe(failure);
        row.in(StepRow.State.TRYING);
        return later(
                retry,
                row,
                failure,
                "step " + step.id.shown() + " could not be undone in " + row.attempts + " tries: " + row.reason);
    }

    private SagaRun.@Nullable Outcome undoByCall(StepRow step, Undo.ByCall undo) throws SQLException {
        StepId id = step.id.undoing();
        StepRow begun = run.history().find(id);
        if (begun == null) {
            begun = StepRow.fresh(id, StepRow.Kind.CLAIM, run.history().nextNumber())
                    .in(StepRow.State.OPEN)
                    .due(run.now().truncatedTo(ChronoUnit.MICROS));
            begun.attempts = 0;
            run.leg().record(begun);
            run.open().commit();
        }
        return switch (new ClaimTry<>(run, begun, undo.what()).settle()) {
            case ClaimTry.Done<String> done -> null;
            case ClaimTry.Refused<String> refused ->
                run.stuck("the call that undoes step " + step.id.shown() + " was refused: " + refused.row().reason
                        + ". Undo it by hand, and skip it");
            case ClaimTry.Later<String> later ->
                later(
                        undo.retry(),
                        ClaimWork.again(begun, later.why()),
                        new IllegalStateException(later.why()),
                        "it is not known whether step " + step.id.shown() + " was undone (" + later.why() + "). "
                                + ClaimTry.remedy(run, begun));
        };
    }

    /** Records the failure, and comes back later or not at all. */
    private SagaRun.Outcome later(SagaRetry retry, StepRow row, Exception failure, String otherwise)
            throws SQLException {
        run.ground().telling().metrics().sagaStep(run.definition().name(), Metrics.StepEvent.UNDO_FAILED);
        Instant due = run.now().plus(StepWork.pause(retry, row.attempts));
        if (row.state == StepRow.State.TRYING) {
            row.due(due);
        }
        run.leg().record(row);
        return retry.triesAgainAfter(failure, row.attempts) ? run.park(due) : run.stuck(otherwise);
    }
}
