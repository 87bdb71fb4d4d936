package dev.hapax.once;

import dev.hapax.Transaction;

/**
 * An effect with an answer, which is kept beside the marker and given to each repeat. Otherwise as {@link Effect}.
 *
 * @param <T> the answer; not null
 * @param <E> what it may throw
 */
@FunctionalInterface
public interface ValueEffect<T, E extends Exception> {

    T apply(Transaction tx) throws E;
}
