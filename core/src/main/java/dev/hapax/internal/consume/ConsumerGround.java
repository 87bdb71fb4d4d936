package dev.hapax.internal.consume;

import dev.hapax.internal.Connections;
import dev.hapax.internal.Pauses;
import dev.hapax.internal.Retries;
import dev.hapax.internal.Signals;
import dev.hapax.internal.log.Drawn;
import dev.hapax.internal.once.ActiveTransaction;
import dev.hapax.internal.once.OnceFactory;
import dev.hapax.spi.Metrics;

/** What one service's consumers stand on. */
public record ConsumerGround(
        Connections connections,
        ActiveTransaction.Shared shared,
        OnceFactory once,
        Retries retries,
        Metrics metrics,
        Pauses pauses,
        Signals signals,
        Drawn drawn) {}
