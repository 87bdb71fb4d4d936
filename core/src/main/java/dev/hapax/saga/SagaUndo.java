package dev.hapax.saga;

import dev.hapax.Transaction;

/**
 * Undoes a step, in a transaction that also records that it was undone: once. It may run more than once until one run commits.
 *
 * @param <T> what the step had returned
 */
@FunctionalInterface
public interface SagaUndo<T> {

    /** @throws Exception it is tried again later; when its tries are over the saga is stuck, until a person helps */
    void undo(T result, Transaction tx) throws Exception;
}
