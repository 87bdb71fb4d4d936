package dev.hapax.internal;

import dev.hapax.Key;
import dev.hapax.PausedException;
import dev.hapax.control.Control;
import dev.hapax.spi.Metrics;
import java.util.Set;

/** What an operator has paused, as last read from the database. Safe for use by many threads. */
public final class Pauses {

    /**
     * One paused thing.
     *
     * @param kind SCOPE or CONSUMER
     */
    public record Paused(String kind, String name) {}

    /** Stands for all of a kind. */
    public static final String ALL = Control.ALL;

    private volatile Set<Paused> paused = Set.of();
    private final long openedNanos = SystemSource.INSTANCE.nanos();
    private volatile long readNanos = openedNanos;

    /**
     * Called by one thread.
     *
     * @param nanos when it began to be read, by the clock that measures distances
     * @return whether it is something else than before
     */
    public boolean set(Set<Paused> now, long nanos) {
        Set<Paused> before = paused;
        paused = Set.copyOf(now);
        readNanos = nanos;
        return !now.equals(before);
    }

    /** Nothing has been committed since the last reading. */
    public void isUnchanged(long nanos) {
        readNanos = nanos;
    }

    public boolean isConsumerPaused(String name) {
        return !paused.isEmpty()
                && (paused.contains(new Paused("CONSUMER", name)) || paused.contains(new Paused("CONSUMER", ALL)));
    }

    /** Before the first reading, by the clock that measures distances. */
    public long openedNanos() {
        return openedNanos;
    }

    /** Whether it was read, and the history judged, after that moment: a database that was lost from sight may be another since. */
    public boolean isReadAfter(long nanos) {
        return readNanos - nanos > 0;
    }

    /** Whether all that goes on by itself waits for an operator, because the database has gone back in time. */
    public boolean isAllPaused() {
        return !paused.isEmpty() && paused.contains(new Paused("CONSUMER", ALL));
    }

    public boolean isScopePaused(String name) {
        return !paused.isEmpty() && paused.contains(new Paused("SCOPE", name));
    }

    public void checkScope(String scope, Key key, Metrics metrics) {
        if (!paused.isEmpty() && paused.contains(new Paused("SCOPE", scope))) {
            metrics.once(scope, Metrics.Ending.PAUSED, 1);
            throw new PausedException("scope " + scope + " is paused by an operator (./hapax pause list), so key " + key
                    + " was not applied; call again with the same key once it is resumed");
        }
    }
}
