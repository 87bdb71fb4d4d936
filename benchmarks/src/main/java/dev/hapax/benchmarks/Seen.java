package dev.hapax.benchmarks;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** Which numbered messages a reader got. Safe for use by many threads. */
final class Seen {

    private final AtomicLongArray bits;
    private final AtomicLong count = new AtomicLong();
    private final AtomicLong twice = new AtomicLong();

    /** @param most numbers go from 0 to one less */
    Seen(int most) {
        bits = new AtomicLongArray(most / Long.SIZE + 1);
    }

    void add(int number) {
        long bit = 1L << number;
        long before = bits.getAndUpdate(number / Long.SIZE, word -> word | bit);
        if ((before & bit) != 0) {
            twice.incrementAndGet();
        } else {
            count.incrementAndGet();
        }
    }

    /** Different messages. */
    long count() {
        return count.get();
    }

    /** Messages that came once more. */
    long twice() {
        return twice.get();
    }
}
