package dev.hapax.internal.saga;

import dev.hapax.Transaction;
import dev.hapax.saga.SagaRetry;

/**
 * How a step that was done is undone.
 *
 * @param retry how often it is tried
 * @param how with the step's result already given to it
 */
record Undo(SagaRetry retry, How how) {

    /** What the saga's code has given. */
    @FunctionalInterface
    interface How {
        void apply(Transaction tx) throws Exception;
    }
}
