package dev.hapax.internal.saga;

import dev.hapax.Transaction;
import dev.hapax.saga.SagaRetry;

/** How a step that was done is undone. */
sealed interface Undo {

    /** How often it is tried. */
    SagaRetry retry();

    /**
     * In our own database.
     *
     * @param how with the step's result already given to it
     */
    record Here(SagaRetry retry, How how) implements Undo {}

    /** In another system, by a claim. */
    record ByCall(SagaRetry retry, ClaimTry.What<String> what) implements Undo {}

    /** What the saga's code has given. */
    @FunctionalInterface
    interface How {
        void apply(Transaction tx) throws Exception;
    }
}
