package dev.hapax.benchmarks;

import java.time.Duration;

/**
 * How much is measured.
 *
 * @param rounds how many times every side is measured; minimum, median and maximum are taken over them
 * @param seconds how long each side works in a round
 * @param quick whether this is only to see that it works: small tables, short rounds, no verdict
 * @param hold how long {@code flat-open-transaction} keeps a transaction open
 */
record Plan(int rounds, double seconds, boolean quick, Duration hold) {

    private static final double SLICE_SECONDS = 0.25;

    /** The slices of a round: the sides take turns so often that what else the machine does hits them alike. */
    int slices() {
        return Math.max(1, (int) Math.round(seconds / SLICE_SECONDS));
    }

    Duration slice() {
        return Duration.ofNanos((long) (seconds * 1e9 / slices()));
    }

    /** How long the sides work before anything counts, until the JVM has compiled what they use. */
    Duration warmUp() {
        return quick ? Duration.ofMillis(200) : Duration.ofSeconds(5);
    }

    /** A number of rows, or a thousandth of it where only the way is tried. */
    long rows(long full) {
        return quick ? Math.max(1_000, full / 1_000) : full;
    }
}
