package dev.hapax.once;

import java.util.List;

/**
 * One effect for all operations of a batch that are new. Otherwise as {@link Effect}.
 *
 * @param <T> what the batch consists of
 * @param <E> what it may throw
 */
@FunctionalInterface
public interface BatchEffect<T, E extends Exception> {

    /** @param fresh those whose keys are new, in the order in which they were given; never empty */
    void apply(List<T> fresh, BatchTransaction tx) throws E;
}
