package dev.hapax.internal.log;

import dev.hapax.internal.SystemSource;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** How many numbers of the log were drawn in each lane, as the keeper has last seen. Readers that have nothing to do ask here, not the database. Safe for use by many threads. */
public final class Drawn {

    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

    private volatile @Nullable Seen seen;

    private record Seen(long[] last, long nanos) {}

    /**
     * Called by one thread.
     *
     * @param last by lane
     * @param nanos when it began to be read, by the clock that measures distances
     * @return the lanes in which it is something else than before
     */
    public int set(long[] last, long nanos) {
        Seen before = seen;
        seen = new Seen(last, nanos);
        if (before == null) {
            return Lanes.ALL;
        }
        int changed = Lanes.NONE;
        for (int lane = 0; lane < last.length; lane++) {
            changed |= before.last[lane] == last[lane] ? Lanes.NONE : Lanes.set(lane);
        }
        return changed;
    }

    /** Nothing has been committed since the last reading, so nothing that was drawn since can be read. */
    public void isUnchanged(long nanos) {
        Seen before = seen;
        if (before != null) {
            seen = new Seen(before.last, nanos);
        }
    }

    /** By lane, not to be changed; null if it was not read lately. A message that was committed before that reading has no higher number. */
    public long @Nullable [] last() {
        Seen now = seen;
        return now == null || SystemSource.INSTANCE.nanos() - now.nanos > FRESH_NANOS ? null : now.last;
    }
}
