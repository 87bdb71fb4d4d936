package dev.hapax.examples.stage;

import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;

/** What the client sees: requests, answers, times. It is for the eye; the verdict comes from the rows. Thread-safe. */
public final class Tally {
    private final LongAdder sent = new LongAdder();
    private final LongAdder repeats = new LongAdder();
    private final LongAdder applied = new LongAdder();
    private final LongAdder replayed = new LongAdder();
    private final AtomicReferenceArray<String> answers;
    private final AtomicLongArray begunNanos;
    private final AtomicLongArray tookNanos;
    private final List<Undone> undone = new CopyOnWriteArrayList<>();
    private final SortedMap<Integer, String> complaints = new ConcurrentSkipListMap<>();

    /**
     * Begins with nothing.
     *
     * @param lines how many lines may be sent
     */
    public Tally(int lines) {
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
            if (isUndone(line)) {
                answers.set(line, answer);
            } else {
                complaints.put(line, "first " + answers.get(line) + ", then " + answer);
            }
        }
        return false;
    }

    /** What took effect and was undone takes effect anew, and then the answer is another one. */
    private boolean isUndone(int line) {
        long answered = answeredNanos(line);
        return undone.stream().anyMatch(time -> answered - time.from() >= 0 && answered - time.to() <= 0);
    }

    /**
     * The database went back: what was answered in a time may not have been kept.
     *
     * @param fromNanos the begin of that time, by {@link System#nanoTime()}
     * @param toNanos its end
     */
    public void undone(long fromNanos, long toNanos) {
        undone.add(new Undone(fromNanos, toNanos));
    }

    private record Undone(long from, long to) {}

    /**
     * A request was refused for good.
     *
     * @return whether nothing has been answered to the line before
     */
    boolean refused(int line, int status, String why) {
        complaints.put(line, "status " + status + ": " + why);
        return answers.compareAndSet(line, null, "");
    }

    /** {@return how many requests went out} */
    public long sent() {
        return sent.sum();
    }

    /** {@return how many of them were not their line's first} */
    public long repeats() {
        return repeats.sum();
    }

    /** {@return how many answers said that the line took effect now} */
    public long applied() {
        return applied.sum();
    }

    /** {@return how many answers said that it had before} */
    public long replayed() {
        return replayed.sum();
    }

    /** {@return by line: answers that differ from the first one, and refusals} */
    public SortedMap<Integer, String> complaints() {
        return complaints;
    }

    /**
     * How long a line took from its first request to its first answer, whatever happened between.
     *
     * @param line its number
     * @return nanoseconds; 0 if it has no answer
     */
    public long tookNanos(int line) {
        return tookNanos.get(line);
    }

    /**
     * When a line had its first answer.
     *
     * @param line its number; one that is answered
     * @return by {@link System#nanoTime()}
     */
    public long answeredNanos(int line) {
        return begunNanos.get(line) + tookNanos.get(line);
    }

    /**
     * From a line's first request to its first answer, whatever happened between.
     *
     * @param lines how many lines were sent, 1 or more
     * @return of all of them
     */
    public Latencies latencies(int lines) {
        long[] sorted = new long[lines];
        Arrays.setAll(sorted, tookNanos::get);
        return Latencies.of(sorted);
    }

    /**
     * In milliseconds.
     *
     * @param p50 half take no longer
     * @param p95 19 of 20 take no longer
     * @param p99 99 of 100 take no longer
     */
    public record Latencies(double p50, double p95, double p99) {
        /**
         * Of times.
         *
         * @param nanos in nanoseconds, at least one; sorted by this
         * @return their quantiles
         */
        public static Latencies of(long[] nanos) {
            Arrays.sort(nanos);
            return new Latencies(millis(nanos, 0.50), millis(nanos, 0.95), millis(nanos, 0.99));
        }

        private static double millis(long[] sorted, double quantile) {
            return sorted[(int) Math.min(sorted.length - 1L, (long) (quantile * sorted.length))] / 1e6;
        }
    }
}
