package dev.hapax.examples.gameday;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Which faults happen when: drawn from the seed before anything starts. Each kind comes once before any comes again. What the seed can't decide is the machine's own timing.
 *
 * <p>Immutable.
 *
 * @param faults in the order of time
 */
record Schedule(List<Planned> faults) {
    /** Calm before the first fault, in which the usual rate is seen; and after the last one. */
    static final Duration CALM_BEFORE = Duration.ofSeconds(5);

    static final Duration CALM_AFTER = Duration.ofSeconds(3);

    private static final long SLOT_MILLIS_MIN = 3_000;
    private static final long SLOT_MILLIS_MAX = 15_000;

    /**
     * One fault.
     *
     * @param at since the first request, at the earliest: not before the one before has been got over
     * @param seed decides whom it hits, and how
     */
    record Planned(FaultKind kind, Duration at, long seed) {
        RandomGenerator random() {
            return new SplittableRandom(seed);
        }
    }

    /**
     * Draws them.
     *
     * @param kinds which kinds there may be, at least one
     * @param time how long the game day is
     */
    static Schedule draw(List<FaultKind> kinds, Duration time, long seed) {
        Random random = new Random(seed);
        long total = time.minus(CALM_BEFORE).minus(CALM_AFTER).toMillis();
        long slot = Math.clamp(total / kinds.size(), SLOT_MILLIS_MIN, SLOT_MILLIS_MAX);
        List<Planned> faults = new ArrayList<>();
        List<FaultKind> round = new ArrayList<>();
        for (long from = 0; from + slot <= total; from += slot) {
            if (round.isEmpty()) {
                round.addAll(kinds);
                Collections.shuffle(round, random);
            }
            long at = CALM_BEFORE.toMillis() + from + random.nextLong(slot / 5);
            faults.add(new Planned(round.removeLast(), Duration.ofMillis(at), random.nextLong()));
        }
        return new Schedule(List.copyOf(faults));
    }
}
