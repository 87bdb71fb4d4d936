package dev.hapax.saga;

import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Claim;
import java.time.Duration;

/**
 * A step whose effect lies in a system that isn't ours: a claim, described and not yet done. Add conditions, then {@link #call}. Used by the saga's thread.
 *
 * <p>What becomes of a call that was begun is always found out: if the saga fails or is cancelled meanwhile, the other system is asked, or called again with the same key where that is safe, before anything is undone. What was
 * not called by then is sealed, and never will be.
 *
 * @param <T> the other system's answer
 */
public interface SagaClaim<T> {

    /** How the other system behaves. Default {@link CallPolicy#notIdempotent()}. */
    SagaClaim<T> policy(CallPolicy policy);

    /** How to ask the other system, before any second call. Default: it can't be asked. */
    SagaClaim<T> probe(Claim.Question<T> question);

    /** Effects in our own database, committed together with the step. They may run more than once until one run commits. Default: none. */
    SagaClaim<T> settling(Claim.Effects<? super T> effects);

    /** What undoes it in our own database, if the saga fails later or is cancelled. Default: nothing does. */
    SagaClaim<T> undo(SagaUndo<? super T> undo);

    /**
     * What undoes it in the other system: a claim of its own, by the same policy, with a key of its own. Done before {@link #undo}'s effects, which are committed together with it.
     *
     * @param refund the call
     */
    SagaClaim<T> undoneBy(SagaRefund<? super T> refund);

    /** How the other system is asked whether {@link #undoneBy}'s call was done; what it answers with is kept. Default: it can't be asked. */
    SagaClaim<T> undoneProbe(Claim.Question<String> question);

    /** How often it is tried, with pauses that cost no thread. Default: 30 times, with pauses of 200 ms to 1 minute. */
    SagaClaim<T> retry(SagaRetry retry);

    /** How long one try may take, all in all: 10 ms to 1 day. Default 30 seconds. */
    SagaClaim<T> within(Duration time);

    /**
     * Does it, unless it has been done.
     *
     * <p>If its tries are over and nobody can know what became of it, the saga is {@link SagaState#STUCK} until a person has settled or refused the claim and lets it go on.
     *
     * @return the answer, or the answer that it had when it was done
     * @throws SagaStepFailedException if the other system refuses, or its tries are over and it certainly did nothing
     */
    T call();
}
