package dev.hapax.internal.saga;

import dev.hapax.internal.Connections;
import dev.hapax.internal.DatabaseClock;
import dev.hapax.internal.Partitions;
import dev.hapax.internal.Retries;
import dev.hapax.internal.Signals;
import dev.hapax.internal.claim.ClaimFactory;
import dev.hapax.internal.once.ActiveTransaction;
import dev.hapax.internal.once.OnceFactory;
import dev.hapax.spi.Metrics;

/** What one service's sagas stand on. */
public record SagaGround(
        Connections connections,
        Doing doing,
        ActiveTransaction.Shared shared,
        Time time,
        Retries retries,
        Telling telling) {

    /** What sagas are built on. */
    public record Doing(OnceFactory once, ClaimFactory claims) {}

    /** Where days and instants come from. */
    public record Time(DatabaseClock clock, Partitions partitions) {}

    /** Who is told what happens. */
    public record Telling(Metrics metrics, Signals signals) {}
}
