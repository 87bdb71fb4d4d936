package dev.hapax.examples.demo;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Which processes the seed kills, and when. What it can't decide is the machine's own timing: the same seed kills the same processes at the same points, but never in the same
 * microsecond.
 *
 * <p>Immutable.
 */
final class Kills {
    private static final int[] NO_LINES = {};
    private static final int DELAY_MICROS_MAX = 20_000;

    /** What is killed. */
    enum Victim {
        SHOP,
        BILLING,
        RELAY,
        BROKER
    }

    /**
     * One kill.
     *
     * @param victim what it hits
     * @param pick chooses among those that are at work
     * @param delayMicros how long after its point it strikes
     */
    record Kill(Victim victim, int pick, int delayMicros) {}

    private final int[] points;
    private final Kill[] kills;

    /**
     * Draws them.
     *
     * @param lines how many lines are sent
     * @param count how many kills
     * @param victims what is killed, in turn; one or more
     */
    Kills(int lines, int count, List<Victim> victims, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        this.points = points(lines, count, random.split());
        this.kills = kills(count, victims, random.split());
    }

    private static int[] points(int lines, int kills, SplittableRandom random) {
        if (kills == 0) {
            return NO_LINES;
        }
        // Neither before the first lines nor after the last ones, when there is nothing to interrupt.
        int first = lines / 50;
        int last = Math.max(first, Math.min(lines - 1, lines * 49 / 50));
        return random.ints(kills, first, last + 1).sorted().toArray();
    }

    /** All kinds in turn, beginning with any. */
    private static Kill[] kills(int count, List<Victim> victims, SplittableRandom random) {
        Kill[] kills = new Kill[count];
        int first = random.nextInt(victims.size());
        Arrays.setAll(
                kills,
                kill -> new Kill(
                        victims.get((kill + first) % victims.size()),
                        random.nextInt(Integer.MAX_VALUE),
                        random.nextInt(DELAY_MICROS_MAX)));
        return kills;
    }

    /** How many lines are answered when each kill is due; rising. */
    int[] points() {
        return points.clone();
    }

    Kill kill(int kill) {
        return kills[kill];
    }
}
