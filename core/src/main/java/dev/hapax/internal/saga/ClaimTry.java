package dev.hapax.internal.saga;

import dev.hapax.FencedException;
import dev.hapax.HapaxException;
import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.PausedException;
import dev.hapax.RetryException;
import dev.hapax.StoreException;
import dev.hapax.Transaction;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Claim;
import dev.hapax.claim.ClaimResult;
import dev.hapax.internal.Reasons;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One try at a claim of a saga. What the other system says is settled in the transaction that also records the step, if the saga is still the owner's: so a replaced owner settles nothing, and its successor finds the answer, or
 * asks. Used by one thread.
 */
final class ClaimTry<T> {

    private static final Duration PAUSED = Duration.ofSeconds(1);

    private final SagaRun run;
    private final StepRow begun;
    private final What<T> what;
    private @Nullable StepRow recorded;

    /** @param begun its row, as it was committed before anything was called */
    ClaimTry(SagaRun run, StepRow begun, What<T> what) {
        this.run = run;
        this.begun = begun;
        this.what = what;
    }

    /**
     * What is called, and how.
     *
     * @param effects in our own database, committed with the step
     */
    record What<T>(
            Class<T> type,
            CallPolicy policy,
            Claim.Action<? extends T> action,
            Claim.@Nullable Question<T> question,
            Claim.@Nullable Effects<? super T> effects,
            Duration within) {}

    /** What has become of it. */
    sealed interface Said<T> {}

    /** @param row of the step that is over, and committed */
    record Done<T>(T value, StepRow row) implements Said<T> {}

    /** @param row of the step that is over, and committed */
    record Refused<T>(StepRow row) implements Said<T> {}

    /**
     * Not yet known.
     *
     * @param nothingDone whether the other system certainly did nothing
     */
    record Later<T>(String why, boolean nothingDone) implements Said<T> {}

    /** The saga has another owner, or was cancelled; an exception, so that the answer is kept for whoever comes. */
    private static final class NotOurs extends RuntimeException {

        private static final long serialVersionUID = 1L;

        NotOurs() {
            super("the saga has another owner, or was cancelled", null, false, false);
        }
    }

    Said<T> settle() {
        try {
            Claim<T> claim = run.ground()
                    .doing()
                    .claims()
                    .claim(key(run, begun), what.type())
                    .policy(what.policy().attempts(1))
                    .refuseIfInProgress()
                    .perform(what.action())
                    .settling(this::settling)
                    .refusing(this::refusing);
            if (what.question() != null) {
                claim.probe(what.question());
            }
            return said(claim.settleWithin(what.within()));
        } catch (NotOurs e) {
            throw Unwinding.of(Unwinding.Why.FENCED);
        } catch (PausedException e) {
            // Nobody was asked or called, however long it lasts: that is no try.
            throw Unwinding.parked(run.now().plus(PAUSED));
        } catch (RetryException e) {
            return new Later<>(String.valueOf(e.getMessage()), true);
        } catch (InProgressException | FencedException e) {
            return new Later<>(String.valueOf(e.getMessage()), false);
        } catch (StoreException e) {
            // Our own database refuses at this moment.
            throw Unwinding.again(e);
        } catch (HapaxException e) {
            throw Unwinding.changed("claim " + begun.id.shown() + " can't be settled: " + e.getMessage());
        } catch (RuntimeException e) {
            // Its own effects here failed: the answer is kept.
            return new Later<>(SagaRun.describe(e), false);
        }
    }

    /** What a person does about one of which nobody knows. */
    static String remedy(SagaRun run, StepRow begun) {
        Key key = key(run, begun);
        return "Find out, settle or refuse it (./hapax claims show " + key.scope() + " " + key.id()
                + "), and let the saga go on (./hapax saga retry)";
    }

    private static Key key(SagaRun run, StepRow begun) {
        Instant began = begun.dueAt;
        if (began == null) {
            throw new IllegalStateException("claim " + begun.id + " has no beginning");
        }
        return run.stepKey(begun.id, began);
    }

    private void settling(T value, Transaction tx) throws Exception {
        if (what.effects() != null) {
            what.effects().apply(value, tx);
        }
        record(begun.next().in(StepRow.State.DONE).holding(run.encode("the answer of " + begun.id.shown(), value)), tx);
    }

    private void refusing(String reason, Transaction tx) throws SQLException {
        record(begun.next().in(StepRow.State.FAILED).because(Reasons.cut(reason)), tx);
    }

    private void record(StepRow row, Transaction tx) throws SQLException {
        row.attempts = begun.attempts + 1;
        if (!SagaStore.step(tx.connection(), run.saga(), row)) {
            throw new NotOurs();
        }
        recorded = row;
    }

    private Said<T> said(ClaimResult<T> result) {
        return switch (result) {
            case ClaimResult.InDoubt<T> doubt ->
                new Later<>(
                        "in doubt since " + doubt.since() + " after " + doubt.attempts() + " calls: "
                                + doubt.lastError(),
                        false);
            case ClaimResult.Settled<T> settled -> {
                T value = settled.kept()
                        .orElseThrow(() -> Unwinding.changed(
                                "claim " + begun.id.shown() + " is settled, and its answer is no longer kept"));
                yield new Done<>(
                        value,
                        over(begun.next()
                                .in(StepRow.State.DONE)
                                .holding(run.encode("the answer of " + begun.id.shown(), value))));
            }
            case ClaimResult.Refused<T> refused ->
                new Refused<>(over(begun.next().in(StepRow.State.FAILED).because(Reasons.cut(refused.reason()))));
        };
    }

    /** If it was settled by somebody else, such as a person, its row is not written yet. */
    private StepRow over(StepRow row) {
        StepRow written = recorded;
        if (written == null || written.state != row.state) {
            row.attempts = begun.attempts + 1;
            try {
                run.ground().connections().inTransaction(connection -> {
                    if (!SagaStore.step(connection, run.saga(), row)) {
                        throw Unwinding.of(Unwinding.Why.FENCED);
                    }
                    return row;
                });
            } catch (SQLException e) {
                throw Unwinding.again(e);
            }
            written = row;
        }
        run.committed(false, List.of(written));
        return written;
    }
}
