package dev.hapax.internal.saga;

import dev.hapax.internal.SqlFaults;
import dev.hapax.saga.SagaRetry;
import dev.hapax.spi.Metrics;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * Undoes what a saga has done, the last first, each once: in a transaction that also records that it was undone. One that fails is tried again later; the others wait behind it, since they may rest on it. Used by one thread.
 */
final class Compensation {

    private final SagaRun run;
    private final Map<StepId, Undo> known;

    /** @param known what the saga's code has said */
    Compensation(SagaRun run, Map<StepId, Undo> known) {
        this.run = run;
        this.known = known;
    }

    SagaRun.Outcome run() throws SQLException {
        while (true) {
            List<StepRow> left = run.history().toUndo();
            if (left.isEmpty()) {
                return run.end(run.saga().undone(), null);
            }
            run.checkOwner();
            StepRow step = left.getFirst();
            Undo undo = known.get(step.id);
            if (undo == null) {
                return run.stuck(
                        "step " + step.id.shown() + " was done, and the code of version "
                                + run.definition().version()
                                + " does not pass it again, so what undoes it is not known. Put the code back, or undo the step by hand and skip it");
            }
            SagaRun.Outcome outcome = undo(step, undo, left.size() == 1);
            if (outcome != null) {
                return outcome;
            }
        }
    }

    private SagaRun.@org.jspecify.annotations.Nullable Outcome undo(StepRow step, Undo undo, boolean last)
            throws SQLException {
        StepId id = step.id.undoing();
        StepRow before = run.history().find(id);
        StepRow row = before == null
                ? StepRow.fresh(id, StepRow.Kind.STEP, run.history().nextNumber())
                : before.next();
        row.attempts = before == null ? 1 : before.attempts + 1;
        try {
            Leg leg = run.leg();
            undo.how().apply(leg.tx().of(run.key().child("undo/" + step.id.shown())));
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
        run.commitOpen();
        return null;
    }

    private SagaRun.Outcome failed(StepRow step, SagaRetry retry, StepRow row, Exception failure) throws SQLException {
        run.dropOpen();
        run.ground().telling().metrics().sagaStep(run.definition().name(), Metrics.StepEvent.UNDO_FAILED);
        row.reason = SagaRun.describe(failure);
        Instant due = run.now().plus(StepWork.pause(retry, row.attempts));
        run.leg().record(row.in(StepRow.State.TRYING).due(due));
        if (retry.triesAgainAfter(failure, row.attempts)) {
            return run.park(due);
        }
        return run.stuck(
                "step " + step.id.shown() + " could not be undone in " + row.attempts + " tries: " + row.reason);
    }
}
