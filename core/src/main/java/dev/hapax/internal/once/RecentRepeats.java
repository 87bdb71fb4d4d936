package dev.hapax.internal.once;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * In which scopes batches have lately held keys that were seen before. Where they have not, a batch is written as if all of it were new, at half the cost, and written again if that was wrong.
 *
 * <p>A guess: being wrong costs time and nothing else. Safe for use by many threads.
 */
final class RecentRepeats {

    /** So many batches without a repeat make it worth while to expect none, since being wrong costs a transaction. */
    private static final int BATCHES = 64;

    private final Map<Integer, AtomicInteger> left = new ConcurrentHashMap<>();

    boolean areExpected(int scope) {
        AtomicInteger batches = left.get(scope);
        return batches != null && batches.get() > 0;
    }

    void met(int scope) {
        left.computeIfAbsent(scope, s -> new AtomicInteger()).set(BATCHES);
    }

    void notMet(int scope) {
        AtomicInteger batches = left.get(scope);
        if (batches != null) {
            batches.updateAndGet(n -> Math.max(0, n - 1));
        }
    }
}
