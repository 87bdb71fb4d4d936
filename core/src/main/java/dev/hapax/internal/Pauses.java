package dev.hapax.internal;

import dev.hapax.Key;
import dev.hapax.PausedException;
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

    private volatile Set<Paused> paused = Set.of();

    /** Called by one thread; returns whether it is something else than before. */
    public boolean set(Set<Paused> now) {
        Set<Paused> before = paused;
        paused = Set.copyOf(now);
        return !now.equals(before);
    }

    public boolean isConsumerPaused(String name) {
        return !paused.isEmpty() && paused.contains(new Paused("CONSUMER", name));
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
