package dev.hapax.examples.demo;

import java.util.Arrays;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;

/** What the client sees: requests, answers, times. It is for the eye; the verdict comes from the rows. Thread-safe. */
final class Tally {
    final LongAdder sent = new LongAdder();
    final LongAdder repeats = new LongAdder();
    final LongAdder applied = new LongAdder();
    final LongAdder replayed = new LongAdder();

    private final AtomicReferenceArray<String> answers;
    private final AtomicLongArray begunNanos;
    private final AtomicLongArray tookNanos;
    private final SortedMap<Integer, String> complaints = new ConcurrentSkipListMap<>();

    Tally(int lines) {
        this.answers = new AtomicReferenceArray<>(lines);
        this.begunNanos = new AtomicLongArray(lines);
        this.tookNanos = new AtomicLongArray(lines);
    }

    /** A request goes out. */
    void sending(int line) {
        sent.increment();
        // 0 stands for never, so a clock that happens to show 0 is a nanosecond late.
        long now = System.nanoTime();
        if (!begunNanos.compareAndSet(line, 0, now == 0 ? 1 : now)) {
            repeats.increment();
        }
    }

    /**
     * An answer came in.
     *
     * @return whether it is the line's first
     */
    boolean answered(int line, String answer, boolean replay) {
        (replay ? replayed : applied).increment();
        if (answers.compareAndSet(line, null, answer)) {
            tookNanos.set(line, System.nanoTime() - begunNanos.get(line));
            return true;
        }
        if (!answer.equals(answers.get(line))) {
            complaints.put(line, "first " + answers.get(line) + ", then " + answer);
        }
        return false;
    }

    /**
     * A request was refused for good.
     *
     * @return whether nothing has been answered to the line before
     */
    boolean refused(int line, int status, String why) {
        complaints.put(line, "status " + status + ": " + why);
        return answers.compareAndSet(line, null, "");
    }

    /** {@return by line: answers that differ from the first one, and refusals} */
    SortedMap<Integer, String> complaints() {
        return complaints;
    }

    /** {@return from a line's first request to its first answer, whatever happened between, in milliseconds} */
    Latencies latencies() {
        long[] sorted = new long[tookNanos.length()];
        Arrays.setAll(sorted, tookNanos::get);
        Arrays.sort(sorted);
        return new Latencies(millis(sorted, 0.50), millis(sorted, 0.95), millis(sorted, 0.99));
    }

    private static double millis(long[] sorted, double quantile) {
        return sorted[(int) Math.min(sorted.length - 1L, (long) (quantile * sorted.length))] / 1e6;
    }

    /** In milliseconds. */
    record Latencies(double p50, double p95, double p99) {}
}
