package dev.hapax.claim;

import dev.hapax.Transaction;
import java.time.Duration;

/**
 * One operation whose effect lies in a system that isn't ours. Got from {@link dev.hapax.Hapax#claim}; say what to call, add conditions, then {@link #settleWithin}.
 *
 * <p>The intent is committed; then the call is made, with no transaction open; then its answer is settled in one transaction, with local effects and messages. A repeat of what is settled gets the
 * first answer and calls nobody. After a crash the next caller with the same key takes over when the lease has run out: it asks first if it can ({@link #probe}), calls again if that is safe, and else
 * says that the operation is in doubt. For operations that must go on without their caller, see {@link ClaimKindBuilder}.
 *
 * <p>Not safe for use by many threads; make one per call.
 *
 * @param <T> the answer
 */
public interface Claim<T> {

    /** The call. Runs on the caller's thread. */
    @FunctionalInterface
    interface Action<T> {

        /**
         * Makes the other system do it, with {@link Call#idempotencyKey()}.
         *
         * @return its answer, not null
         * @throws ClaimRefusedException if it said no, for good
         * @throws Exception anything else means that nobody knows, unless {@link CallPolicy#didNotHappen} or {@link CallPolicy#refuses} says otherwise
         */
        T perform(Call call) throws Exception;
    }

    /** The question. Runs on the caller's thread. */
    @FunctionalInterface
    interface Question<T> {

        /**
         * Asks the other system what became of the operation.
         *
         * @throws Exception means {@link Probe#unknown()}
         */
        Probe<T> ask(Call call) throws Exception;
    }

    /** Effects in our own database, in the transaction that settles. */
    @FunctionalInterface
    interface Effects<A> {

        /** @param outcome the answer, or the reason of a refusal */
        void apply(A outcome, Transaction tx) throws Exception;
    }

    /** You must set: the call. */
    Claim<T> perform(Action<? extends T> action);

    /** You may tune: how to ask the other system, before any second call. Default: it can't be asked. */
    Claim<T> probe(Question<T> question);

    /** You may tune: how the other system behaves. Default {@link CallPolicy#notIdempotent()}. */
    Claim<T> policy(CallPolicy policy);

    /** You may tune: effects in our own database, committed together with the settlement. They may run more than once until one run commits. Default: none. */
    Claim<T> settling(Effects<? super T> effects);

    /** You may tune: effects in our own database if the other system refuses, in the same commit. Default: none. */
    Claim<T> refusing(Effects<String> effects);

    /**
     * You may tune: refuses the key if it was used with another request. As {@link dev.hapax.once.Once#matching}.
     *
     * @throws IllegalArgumentException if the codec can't give the request a canonical form
     */
    Claim<T> matching(Object request);

    /** You may tune: does not wait for another caller that is at the same key: {@link dev.hapax.InProgressException} at once. Default: it waits for the answer, as long as {@link #settleWithin} says. */
    Claim<T> refuseIfInProgress();

    /**
     * Has the operation done, or finds out what became of it.
     *
     * @param limit for all of it, waiting for others and pauses included: 10 ms to 1 day. A call that runs is not cut short by it, but by {@link CallPolicy#callWithin}
     * @return settled, refused or in doubt
     * @throws IllegalStateException if {@link #perform} was not given; nothing was done
     * @throws dev.hapax.KeyReusedException if the key was used with another request
     * @throws dev.hapax.InProgressException if somebody else is at it, and it was waited for in vain
     * @throws dev.hapax.TooLateException if the key is older than its scope's window; nothing was called
     * @throws dev.hapax.TooEarlyException if its time lies in the future; nothing was called
     * @throws dev.hapax.PausedException if the scope is paused; nothing was called
     * @throws dev.hapax.RetryException if our database can't be reached, or the other system certainly did nothing and went on failing: call again with the same key
     * @throws dev.hapax.FencedException if another owner has taken the operation over while this caller stood still; nothing was settled by it
     * @throws dev.hapax.StoreException if our database refuses
     * @throws RuntimeException what {@link #settling} throws, as it is (checked exceptions, too): the answer is kept, and the next caller settles it without calling again
     */
    ClaimResult<T> settleWithin(Duration limit);
}
