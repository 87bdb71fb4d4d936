package dev.hapax.twophase;

import dev.hapax.Transaction;

/**
 * An effect in the home database and in branches. It may be run more than once until one run commits, so what it does beside them must bear that. What it throws goes to the caller
 * unchanged, and nothing is committed anywhere.
 *
 * @param <E> what it may throw
 */
@FunctionalInterface
public interface TwoPhaseEffect<E extends Exception> {

    /**
     * Applies it.
     *
     * @param tx the home transaction, which holds the marker
     * @param branches the transactions of the participants that were named
     */
    void apply(Transaction tx, Branches branches) throws E;
}
