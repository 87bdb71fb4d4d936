package dev.hapax.once;

import dev.hapax.Transaction;

/**
 * An effect without an answer. It may be run more than once until one run commits (after a deadlock, say), so what it does beside the
 * transaction must bear that. What it throws goes to the caller unchanged, and nothing is committed.
 *
 * @param <E> what it may throw
 */
@FunctionalInterface
public interface Effect<E extends Exception> {

    void apply(Transaction tx) throws E;
}
