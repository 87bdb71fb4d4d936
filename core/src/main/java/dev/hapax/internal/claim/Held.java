package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.internal.once.Marker;
import dev.hapax.spi.Encoded;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A claim that this process owns, as of its last write. Used by the thread that works on it; the keeper reads what is volatile or final.
 */
final class Held {

    final Key key;
    final int scope;
    final int producer;
    final long token;
    final long leaseMillis;
    final Instant claimedAt;
    final @Nullable Encoded request;
    final byte @Nullable [] fingerprint;

    /** Where its marker will lie; null if its window has ended, so that nobody will ask for it. */
    @Nullable
    Marker marker;

    /** Calls that were begun, the next one included if {@link #mayCall}. */
    int attempts;

    /** Whether the next call was committed as begun, and not made yet. */
    boolean mayCall;

    /** Whether a call that was begun may have taken effect. If not, none has, for certain. */
    boolean uncertain;

    int waits;
    ClaimState state = ClaimState.CLAIMED;

    @Nullable
    Instant doubtSince;

    @Nullable
    String lastError;

    @Nullable
    Known known;

    /** When the last call began, by this machine's own measure of distances. */
    long calledNanos;

    /** When the lease ends, at the earliest, by the same measure: a statement's beginning plus the lease. */
    volatile long leasedUntilNanos;

    Held(Identity identity, long token, long leaseMillis, Told told) {
        this.key = identity.key;
        this.scope = identity.scope;
        this.producer = identity.producer;
        this.marker = identity.marker;
        this.token = token;
        this.leaseMillis = leaseMillis;
        this.claimedAt = told.claimedAt;
        this.request = told.request;
        this.fingerprint = told.fingerprint;
    }

    /** Which claim it is. */
    record Identity(
            Key key, int scope, int producer, @Nullable Marker marker) {

        static Identity of(Marker marker, Key key) {
            return new Identity(key, marker.scope().id(), marker.producer(), marker);
        }
    }

    /** What its first caller told. */
    record Told(Instant claimedAt, @Nullable Encoded request, byte @Nullable [] fingerprint) {}
}
