package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.spi.Encoded;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One caller's wish. Immutable.
 *
 * @param request what was asked for, if workers may go on without the caller
 * @param waits whether it waits for others that are at the same key
 * @param limit for all of it
 */
record ClaimSpec<T>(
        Key key,
        ClaimHandler<T> handler,
        byte @Nullable [] fingerprint,
        @Nullable Encoded request,
        boolean waits,
        Duration limit) {}
