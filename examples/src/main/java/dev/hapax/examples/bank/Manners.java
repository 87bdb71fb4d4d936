package dev.hapax.examples.bank;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32;

/**
 * How the bank treats its callers: drawn from the seed, the key and how often it was called with it, so that a run can be repeated.
 *
 * <p>Safe for use by many threads.
 */
final class Manners {
    private static final int QUICK_MILLIS_MAX = 20;
    private static final int SLOW_MILLIS_MAX = 500;

    /** Longer than any caller waits, and not so long that its own promise would be broken: see {@link BankServer#BOOKS_WITHIN}. */
    static final int LATE_MILLIS = 2_500;

    /** What it does with one request. */
    enum Manner {
        /** Books, and says so. */
        ANSWERS,
        /** Books after a while, and says so. */
        IS_SLOW,
        /** Books nothing, and says so. */
        FAILS,
        /** Books, and closes the connection without an answer. */
        DROPS_THE_ANSWER,
        /** Books, and answers when nobody listens any more. */
        ANSWERS_LATE,
        /** Lets the request lie, and books it when nobody listens any more. */
        BOOKS_LATE
    }

    /**
     * What it does, and when.
     *
     * @param manner what
     * @param millis how long it takes before it books
     */
    record Turn(Manner manner, int millis) {}

    private final long seed;
    private final ConcurrentHashMap<String, AtomicInteger> calls = new ConcurrentHashMap<>();

    Manners(long seed) {
        this.seed = seed;
    }

    Turn next(String key) {
        int call = calls.computeIfAbsent(key, first -> new AtomicInteger()).incrementAndGet();
        CRC32 hash = new CRC32();
        hash.update(key.getBytes(StandardCharsets.UTF_8));
        SplittableRandom random = new SplittableRandom(seed ^ (hash.getValue() << 16) ^ call);
        Manner manner = manner(random.nextInt(100));
        int millis = switch (manner) {
            case IS_SLOW -> 1 + random.nextInt(SLOW_MILLIS_MAX);
            case BOOKS_LATE -> LATE_MILLIS;
            default -> 1 + random.nextInt(QUICK_MILLIS_MAX);
        };
        return new Turn(manner, millis);
    }

    private static Manner manner(int percent) {
        if (percent < 66) {
            return Manner.ANSWERS;
        }
        if (percent < 76) {
            return Manner.IS_SLOW;
        }
        if (percent < 84) {
            return Manner.FAILS;
        }
        if (percent < 92) {
            return Manner.DROPS_THE_ANSWER;
        }
        return percent < 96 ? Manner.ANSWERS_LATE : Manner.BOOKS_LATE;
    }
}
