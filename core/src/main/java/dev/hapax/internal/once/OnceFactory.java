package dev.hapax.internal.once;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.internal.Connections;
import dev.hapax.internal.DatabaseClock;
import dev.hapax.internal.Names;
import dev.hapax.internal.Partitions;
import dev.hapax.internal.Pauses;
import dev.hapax.internal.Retries;
import dev.hapax.internal.Signals;
import dev.hapax.once.Adoption;
import dev.hapax.once.Once;
import dev.hapax.once.OnceAll;
import dev.hapax.once.OnceValue;
import dev.hapax.once.Verdict;
import dev.hapax.spi.Metrics;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** Makes calls. Safe for use by many threads. */
public final class OnceFactory {

    private final OnceEngine engine;
    private final Settlements settlements;
    private final int waitSeconds;

    /**
     * What one service's calls stand on.
     */
    public record Ground(
            Connections connections,
            Names names,
            Partitions partitions,
            DatabaseClock clock,
            Pauses pauses,
            Signals signals) {}

    /**
     * The service's settings for calls.
     *
     * @param tolerance how far ahead a key's time may lie
     * @param waitUpTo how long a repeat waits by default
     */
    public record Settings(Metrics metrics, Retries retries, Duration tolerance, Duration waitUpTo) {}

    public OnceFactory(Ground ground, ActiveTransaction.Shared shared, Settings settings) {
        this.waitSeconds = OnceSpec.waitSeconds(settings.waitUpTo);
        this.engine = new OnceEngine(
                ground.connections,
                new Markers(ground.names, ground.partitions, ground.clock, shared.service(), settings.tolerance),
                new Outcomes(shared.codec(), ground.clock, ground.partitions, shared.bytesMax()),
                shared,
                settings.retries,
                new OnceEngine.Telemetry(settings.metrics, ground.pauses, ground.signals));
        this.settlements = new Settlements(engine, ground.partitions, ground.clock, waitSeconds);
    }

    /** For features that have markers of their own. */
    public Settlements settlements() {
        return settlements;
    }

    public Once once(Key key) {
        return new OnceCalls.Plain(engine, key, new OnceSpec(waitSeconds));
    }

    public <T> OnceValue<T> once(Key key, Class<T> type) {
        return new OnceCalls.Valued<>(engine, key, type, new OnceSpec(waitSeconds));
    }

    public Adoption adopt(String scope) {
        return new AdoptionCall(engine, scope, waitSeconds);
    }

    /**
     * Marks keys in a transaction in which nothing was done yet; the effects, and the commit, are the caller's.
     *
     * @param keys 1 to {@link OnceAll#SIZE_MAX}
     * @return for each key whether it is new ({@link Verdict#APPLIED}), seen, or outside its window; a key that comes twice is new once
     * @throws InProgressException if another transaction that marks one of them does not end in time
     * @throws SQLException also if the transaction is to be rolled back and done again, as after a serialization failure: a key was not expected to be seen
     */
    public List<Verdict> mark(Connection connection, List<Key> keys) throws SQLException {
        return new BatchCall<>(engine, keys, key -> key, new OnceSpec(waitSeconds)).mark(connection);
    }

    public <T> OnceAll<T> onceAll(List<T> items, Function<? super T, Key> key) {
        return new BatchCall<>(engine, items, key, new OnceSpec(waitSeconds));
    }
}
