package dev.hapax.examples.stage;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.UUID;

/**
 * What the seed decides for the client, before anything starts: keys, and which lines are repeated how.
 *
 * <p>Immutable.
 */
public final class Chance {
    private static final int IMPATIENCE_MILLIS_MAX = 12;

    /** How a line is sent once more than it need be. */
    enum Repeat {
        /** Not at all; it may be sent again all the same when a process dies before it answers. */
        NONE,
        /** The client gives up within a few milliseconds, not knowing what happened, and asks again. */
        AFTER_TIMEOUT,
        /** As soon as it has the answer. */
        AT_ONCE,
        /** Much later, when many other lines have been sent. */
        MUCH_LATER,
        /** Twice at the same time, to two processes if there are two. */
        IN_PARALLEL
    }

    private final Repeat[] repeats;
    private final int[] later;
    private final int[] impatienceMillis;
    private final UUID[] keys;

    /**
     * Draws everything.
     *
     * @param lines how many lines may be sent
     * @param load how the client behaves
     * @param startMillis when the run starts, in milliseconds since 1970: the keys' time
     */
    public Chance(int lines, Load load, long startMillis) {
        SplittableRandom root = new SplittableRandom(load.seed());
        this.keys = keys(lines, startMillis, root.split());
        this.repeats = repeats(lines, load.repeats(), root.split());
        this.later = later(lines, root.split());
        SplittableRandom impatience = root.split();
        this.impatienceMillis =
                impatience.ints(lines, 1, IMPATIENCE_MILLIS_MAX + 1).toArray();
    }

    /**
     * One key per line, made once by the client and repeated by all its tries: a UUIDv7, whose time is when the client began. A client that lives longer
     * than a run would store the key with the order before it first sends it.
     */
    private static UUID[] keys(int lines, long startMillis, SplittableRandom random) {
        UUID[] keys = new UUID[lines];
        Arrays.setAll(
                keys,
                line -> new UUID(
                        startMillis << 16 | 0x7000L | random.nextLong() & 0x0FFFL,
                        random.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL | 0x8000_0000_0000_0000L));
        return keys;
    }

    /** Exactly the share that was asked for, anywhere in the file. */
    private static Repeat[] repeats(int lines, double share, SplittableRandom random) {
        Repeat[] repeats = new Repeat[lines];
        Arrays.fill(repeats, Repeat.NONE);
        int[] order = shuffled(lines, random);
        int kinds = Repeat.values().length - 1;
        long repeated = Math.round(share * lines);
        for (int i = 0; i < repeated; i++) {
            repeats[order[i]] = Repeat.values()[1 + i % kinds];
        }
        return repeats;
    }

    private static int[] later(int lines, SplittableRandom random) {
        int[] later = new int[lines];
        Arrays.setAll(later, line -> line + 1 + random.nextInt(lines - line));
        return later;
    }

    private static int[] shuffled(int count, SplittableRandom random) {
        int[] order = new int[count];
        Arrays.setAll(order, i -> i);
        for (int i = count - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        return order;
    }

    Repeat repeat(int line) {
        return repeats[line];
    }

    /** How far the client is in the file when it repeats this line much later. */
    int later(int line) {
        return later[line];
    }

    int impatienceMillis(int line) {
        return impatienceMillis[line];
    }

    UUID key(int line) {
        return keys[line];
    }
}
