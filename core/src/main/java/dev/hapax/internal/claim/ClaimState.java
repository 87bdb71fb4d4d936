package dev.hapax.internal.claim;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Where an operation in another system stands. {@link #CLAIMED} and {@link #IN_DOUBT} are rows of {@code hapax.claim}, the latter with a {@code doubt_since}; {@link #SETTLED} and {@link #REFUSED} are markers,
 * and nothing comes back from there.
 *
 * <pre>{@code
 *            call again
 *            +------+                    answer, or asked: done
 *            |      v                  +------------------------> SETTLED
 *  intent -> CLAIMED --------------- --+
 *            |    ^                    +------------------------> REFUSED
 *     answer |    | asked:             |       no, for good
 *     lost   v    | not done           |
 *            IN_DOUBT -----------------+
 *            |      ^
 *            +------+ asked: unknown
 * }</pre>
 */
public enum ClaimState {
    /** The intent is committed. */
    CLAIMED,
    /** A call ended without an answer. */
    IN_DOUBT,
    /** Done, once. */
    SETTLED,
    /** Not done, for good. */
    REFUSED;

    /** The state of a row. */
    static ClaimState of(@Nullable Instant doubtSince) {
        return doubtSince == null ? CLAIMED : IN_DOUBT;
    }

    /**
     * The only way from one state to the next.
     *
     * @return the next one
     * @throws IllegalStateException if there is no such way; nothing must be written then
     */
    ClaimState to(ClaimState next) {
        boolean allowed = switch (this) {
            case CLAIMED, IN_DOUBT -> true;
            case SETTLED, REFUSED -> false;
        };
        if (!allowed) {
            throw new IllegalStateException("a claim that is " + this + " can't become " + next);
        }
        return next;
    }

    /** Whether it is a row of {@code hapax.claim}. */
    boolean isInFlight() {
        return this == CLAIMED || this == IN_DOUBT;
    }
}
