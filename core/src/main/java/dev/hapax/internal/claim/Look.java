package dev.hapax.internal.claim;

import dev.hapax.spi.Encoded;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;

/** What one look at a key has shown. Immutable. */
record Look(@Nullable Ended ended, @Nullable Row row) {

    /**
     * It has come to its end.
     *
     * @param outcome what is kept of it; null if nothing is (any more)
     */
    record Ended(
            boolean refused,
            byte @Nullable [] fingerprint,
            @Nullable Encoded outcome,
            @Nullable OffsetDateTime keptAt) {}

    /**
     * It is in flight.
     *
     * @param dueMillis until its lease ends, or until it is to be taken up; null if only a person can help
     * @param known whether its end is known already
     */
    record Row(
            long token,
            @Nullable String owner,
            byte @Nullable [] fingerprint,
            @Nullable Instant doubtSince,
            int attempts,
            @Nullable String lastError,
            @Nullable Long dueMillis,
            boolean known,
            Instant claimedAt) {

        ClaimState state() {
            return ClaimState.of(doubtSince);
        }

        boolean isOwned() {
            return owner != null;
        }

        /** Whether whoever owns it has been silent for longer than its lease. */
        boolean isLeft() {
            return owner != null && dueMillis != null && dueMillis <= 0;
        }
    }
}
