package dev.hapax.benchmarks;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/** Ids for both sides, made in the same way: UUIDv7 of now, ascending. */
final class Ids {

    private static final AtomicLong LAST = new AtomicLong();

    private Ids() {}

    static String next() {
        // 12 bits below the millisecond count on, so that ids ascend as a service's own generator would make them.
        long now = System.currentTimeMillis() << 12;
        long tick = LAST.updateAndGet(last -> Math.max(last + 1, now));
        long high = (tick >>> 12) << 16 | 0x7000L | (tick & 0xFFF);
        long low = (ThreadLocalRandom.current().nextLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }
}
