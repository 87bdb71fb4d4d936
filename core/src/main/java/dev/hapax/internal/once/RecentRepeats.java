package dev.hapax.internal.once;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * In which scopes batches, or claims, have lately met keys that were seen before. Where they have not, a batch is written as if all of it were new, at half the cost, and written again if that was wrong; and a claim is
 * written without looking for its marker first.
 *
 * <p>A guess: being wrong costs time and nothing else. Safe for use by many threads.
 */
public final class RecentRepeats {

    /** So many of them without a repeat make it worth while to expect none, since being wrong costs a transaction. */
    private static final int ALL_NEW = 64;

    private final Map<Integer, AtomicInteger> left = new ConcurrentHashMap<>();

    public boolean areExpected(int scope) {
        AtomicInteger batches = left.get(scope);
        return batches != null && batches.get() > 0;
    }

    public void met(int scope) {
        left.computeIfAbsent(scope, s -> new AtomicInteger()).set(ALL_NEW);
    }

    public void notMet(int scope) {
        AtomicInteger batches = left.get(scope);
        if (batches != null && batches.get() > 0) {
            batches.updateAndGet(n -> Math.max(0, n - 1));
        }
    }
}
