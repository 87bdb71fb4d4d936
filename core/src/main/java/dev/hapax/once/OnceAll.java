package dev.hapax.once;

import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/**
 * Many operations in one transaction, each of them once. Got from {@link dev.hapax.Hapax#onceAll}. All that are new commit together with one
 * effect, or none does. Not safe for use by many threads.
 *
 * @param <T> what the batch consists of
 */
public interface OnceAll<T> {

    /** The most operations in one batch. */
    int SIZE_MAX = 10_000;

    /** As {@link Once#matching(Object)}, for each operation; a conflicting one is answered as {@link Verdict#CONFLICTING} and the others go on. */
    OnceAll<T> matching(Function<? super T, ?> request);

    /** As {@link Once#on(Connection)}. */
    OnceAll<T> on(Connection connection);

    /** As {@link Once#waitUpTo(Duration)}; it bounds each statement that writes markers. */
    OnceAll<T> waitUpTo(Duration time);

    /**
     * Applies one effect for all new operations. Two operations of one key in one batch count as a repeat.
     *
     * @return one verdict for each operation, in the order given
     * @throws E what the effect throws; nothing was committed then
     */
    <E extends Exception> List<Verdict> run(BatchEffect<T, E> effect) throws E;
}
