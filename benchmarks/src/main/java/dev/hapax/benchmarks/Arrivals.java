package dev.hapax.benchmarks;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/** When messages were committed, by their producers' clock, and when they arrived. {@link System#nanoTime} is one clock for all processes of a machine under Linux. */
final class Arrivals {

    private static final int MOST = 2_000_000;
    private static final Duration ARRIVES_WITHIN = Duration.ofSeconds(30);

    private final AtomicLongArray committed = new AtomicLongArray(MOST);
    private final AtomicLongArray arrived = new AtomicLongArray(MOST);
    private final AtomicInteger twice = new AtomicInteger();
    private volatile int first;
    private volatile int end;
    private volatile long beganNanos;

    /** Begins a round with this message. */
    void begin(int number) {
        first = number;
        beganNanos = System.nanoTime();
    }

    /** Called when the commit has returned. */
    void committed(int number) {
        committed.set(number, System.nanoTime());
    }

    void arrived(int number) {
        arrivedAt(number, System.nanoTime());
    }

    void arrivedAt(int number, long nanos) {
        if (!arrived.compareAndSet(number, 0, nanos)) {
            twice.incrementAndGet();
        }
    }

    /** Ends a round, when all messages before this one have arrived. */
    void awaitAll(int until) throws InterruptedException {
        end = until;
        Waiting.until(ARRIVES_WITHIN, "all messages of a round arrive", () -> missing(until) == 0);
        WrongRows.unlessEqual("messages that arrived twice", 0, twice.get());
    }

    /** As {@link #awaitAll}, for a reader that skips some: when the last one has arrived. */
    void awaitMost(int until) throws InterruptedException {
        end = until;
        Waiting.until(ARRIVES_WITHIN, "the last messages of a round arrive", () -> {
            int latest = until - 1;
            while (latest > first && arrived.get(latest) == 0 && until - latest < 10) {
                latest--;
            }
            return arrived.get(latest) != 0;
        });
    }

    long missing(int until) {
        long missing = 0;
        for (int number = first; number < until; number++) {
            missing += arrived.get(number) == 0 ? 1 : 0;
        }
        return missing;
    }

    /** Of this round: median and 99th percentile in milliseconds, messages a second. A handler may begin before the producer has heard of its commit: that is zero. */
    double[] percentiles() {
        long[] nanos = java.util.stream.IntStream.range(first, end)
                .filter(number -> arrived.get(number) != 0)
                .mapToLong(number -> Math.max(0, arrived.get(number) - committed.get(number)))
                .toArray();
        long last = committed.get(end - 1);
        return new double[] {
            Spread.percentile(nanos, 50) / 1e6,
            Spread.percentile(nanos, 99) / 1e6,
            (end - first) * 1e9 / (last - beganNanos)
        };
    }
}
