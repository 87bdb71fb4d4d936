package dev.hapax.examples.gameday;

import dev.hapax.examples.gameday.Meter.Sample;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How long it takes to get over a fault: from its end to the begin of the first second in which orders are answered, and messages are billed, at {@value #SHARE} of the rate before it, or more.
 */
final class Recovery {
    static final double SHARE = 0.8;

    private static final long WINDOW_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long BEFORE_NANOS = Duration.ofSeconds(3).toNanos();

    private Recovery() {}

    /**
     * The rate at which lines were answered before a moment.
     *
     * @param samples in the order of time
     * @param most what it is at most: who catches up after a fault is faster, which is not the usual
     * @return lines a second; 0 if nothing is known
     */
    static double rateBefore(List<Sample> samples, long moment, double most) {
        Sample first = null;
        Sample last = null;
        for (Sample sample : samples) {
            if (sample.nanos() - moment <= 0) {
                last = sample;
                if (first == null || moment - sample.nanos() >= BEFORE_NANOS) {
                    first = sample;
                }
            }
        }
        return first == null || last == null || first.nanos() == last.nanos()
                ? 0
                : Math.min(most, (last.answered() - first.answered()) * 1e9 / (last.nanos() - first.nanos()));
    }

    /**
     * Looks whether it is over.
     *
     * @param samples in the order of time
     * @param end when the fault ended
     * @param rate lines a second before it
     * @return the time from the end on; empty if it is not over yet
     */
    static Optional<Duration> of(List<Sample> samples, long end, double rate) {
        int to = 0;
        for (int from = 0; from < samples.size(); from++) {
            Sample begin = samples.get(from);
            if (begin.nanos() - end < 0) {
                continue;
            }
            to = Math.max(to, from);
            while (to < samples.size() && samples.get(to).nanos() - begin.nanos() < WINDOW_NANOS) {
                to++;
            }
            if (to == samples.size()) {
                return Optional.empty();
            }
            Sample then = samples.get(to);
            double least = SHARE * rate * (then.nanos() - begin.nanos()) / 1e9;
            if (then.answered() - begin.answered() >= least && then.billed() - begin.billed() >= least) {
                return Optional.of(Duration.ofNanos(begin.nanos() - end));
            }
        }
        return Optional.empty();
    }
}
