package dev.hapax.claim;

import dev.hapax.Transaction;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Describes a kind of operation in a system that isn't ours. Got from {@link dev.hapax.Hapax#claims(String, Class, Class)}. What it describes must be the same in every process of the service. Not safe for
 * use by many threads.
 *
 * @param <R> the request, stored by the service's codec
 * @param <T> the answer
 */
public interface ClaimKindBuilder<R, T> {

    /** As {@link Claim.Action}. */
    @FunctionalInterface
    interface Action<R, T> {
        T perform(R request, Call call) throws Exception;
    }

    /** As {@link Claim.Question}. */
    @FunctionalInterface
    interface Question<R, T> {
        Probe<T> ask(R request, Call call) throws Exception;
    }

    /** As {@link Claim.Effects}. */
    @FunctionalInterface
    interface Effects<R, A> {
        void apply(R request, A outcome, Transaction tx) throws Exception;
    }

    /** You must set: the call. */
    ClaimKindBuilder<R, T> perform(Action<? super R, ? extends T> action);

    /** You may tune: how to ask the other system, before any second call. Default: it can't be asked. */
    ClaimKindBuilder<R, T> probe(Question<? super R, T> question);

    /** You may tune: how the other system behaves. Default {@link CallPolicy#notIdempotent()}. */
    ClaimKindBuilder<R, T> policy(CallPolicy policy);

    /** You may tune: effects in our own database, committed together with the settlement. Default: none. */
    ClaimKindBuilder<R, T> settling(Effects<? super R, ? super T> effects);

    /** You may tune: effects in our own database if the other system refuses, in the same commit. Default: none. */
    ClaimKindBuilder<R, T> refusing(Effects<? super R, String> effects);

    /** You may tune: operations that workers of this process have in hand at once, 1 to 10,000, each on a virtual thread. What {@link ClaimKind#settle} calls is not counted. Default 16. */
    ClaimKindBuilder<R, T> concurrency(int calls);

    /** You may tune: operations a second that workers of this process take up, 0.001 to 1,000,000; a question to the other system is one too. What {@link ClaimKind#settle} calls is not counted. Default: no limit. */
    ClaimKindBuilder<R, T> rate(double perSecond);

    /** You may tune: how long after its intent an operation is tried that has certainly not happened yet; then it is refused. 1 second to 400 days; default 1 day. One in doubt is asked about for ever. */
    ClaimKindBuilder<R, T> giveUpAfter(Duration time);

    /**
     * You may tune: while our database can't be reached, {@link ClaimKind#settle} calls all the same, and writes what it did into a file in this folder, synced before the call and after it. When the database is
     * back, the entries are folded in and noted in {@code hapax.claim_outage}, to be reconciled. A call without an answer is asked about before its key is called again, if that is possible. At 100,000 calls or 1 GB the journal is full, and calls are refused. Needs {@link CallPolicy#idempotent()}, since two processes can't see each other meanwhile. Default: calls are refused with
     * {@link dev.hapax.RetryException}.
     *
     * @param folder of this process alone; made if it isn't there
     */
    ClaimKindBuilder<R, T> journalOutages(Path folder);

    /** You probably shouldn't: the longest pause between two looks for work, 1 ms to 1 minute. Default 500 ms. */
    ClaimKindBuilder<R, T> idle(Duration longest);

    /**
     * Registers the kind in this process, and begins to take up operations of it that nobody works on.
     *
     * @throws IllegalStateException if {@link #perform} was not given, if the scope is registered in this process already, or if outages are to be journaled of a system that is not idempotent
     */
    ClaimKind<R, T> start();
}
