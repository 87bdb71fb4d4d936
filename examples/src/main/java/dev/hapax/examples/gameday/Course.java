package dev.hapax.examples.gameday;

import dev.hapax.examples.gameday.Meter.Sample;
import dev.hapax.examples.stage.Tally;
import java.util.ArrayList;
import java.util.List;

/**
 * How a game day went over time, in steps of equal length, from the first request on.
 *
 * <p>Immutable.
 */
final class Course {
    private static final int STEPS_MAX = 300;

    private final double stepSeconds;
    private final List<Step> steps;

    /**
     * What was done in one step.
     *
     * @param answered lines that had their first answer, a second
     * @param billed messages that billing did, a second
     * @param p50Millis half of those lines took no longer from first request to first answer; 0 if there are none
     * @param p99Millis 99 of 100 took no longer; 0 if there are none
     */
    record Step(double answered, double billed, double p50Millis, double p99Millis) {}

    /**
     * Gathers it.
     *
     * @param startNanos when the first request went out, by {@link System#nanoTime()}
     * @param lines how many lines were sent
     * @param samples of billing's work
     */
    Course(long startNanos, int lines, List<Sample> samples, Tally tally) {
        double seconds = Math.max(1, (lastNanos(startNanos, lines, samples, tally) - startNanos) / 1e9);
        this.stepSeconds = Math.max(1, Math.ceil(seconds / STEPS_MAX));
        int count = (int) Math.ceil(seconds / stepSeconds);
        long stepNanos = (long) (stepSeconds * 1e9);
        List<List<Long>> took = took(startNanos, stepNanos, count, lines, tally);
        List<Step> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long from = startNanos + i * stepNanos;
            double billed = Math.max(0, billedAt(samples, from + stepNanos) - billedAt(samples, from));
            all.add(step(took.get(i), billed));
        }
        this.steps = List.copyOf(all);
    }

    private static long lastNanos(long startNanos, int lines, List<Sample> samples, Tally tally) {
        long last = samples.isEmpty() ? startNanos : samples.getLast().nanos();
        for (int line = 0; line < lines; line++) {
            if (tally.tookNanos(line) > 0 && tally.answeredNanos(line) - last > 0) {
                last = tally.answeredNanos(line);
            }
        }
        return last;
    }

    /** By step, how long those lines took that were answered in it. */
    private static List<List<Long>> took(long startNanos, long stepNanos, int count, int lines, Tally tally) {
        List<List<Long>> took = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            took.add(new ArrayList<>());
        }
        for (int line = 0; line < lines; line++) {
            if (tally.tookNanos(line) > 0) {
                long at = (tally.answeredNanos(line) - startNanos) / stepNanos;
                took.get((int) Math.clamp(at, 0L, count - 1L)).add(tally.tookNanos(line));
            }
        }
        return took;
    }

    private Step step(List<Long> took, double billed) {
        if (took.isEmpty()) {
            return new Step(0, billed / stepSeconds, 0, 0);
        }
        Tally.Latencies latencies =
                Tally.Latencies.of(took.stream().mapToLong(Long::longValue).toArray());
        return new Step(took.size() / stepSeconds, billed / stepSeconds, latencies.p50(), latencies.p99());
    }

    /** What the last sample before the moment said. */
    private static double billedAt(List<Sample> samples, long nanos) {
        int low = 0;
        int high = samples.size();
        while (low < high) {
            int middle = (low + high) / 2;
            if (samples.get(middle).nanos() - nanos <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == 0 ? 0 : samples.get(low - 1).billed();
    }

    /** How long a step is, in seconds. */
    double stepSeconds() {
        return stepSeconds;
    }

    List<Step> steps() {
        return steps;
    }

    /** How long all of it is, in seconds. */
    double seconds() {
        return stepSeconds * steps.size();
    }
}
