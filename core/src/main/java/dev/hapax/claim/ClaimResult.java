package dev.hapax.claim;

import dev.hapax.Key;
import java.time.Instant;
import java.util.Optional;

/**
 * What became of an operation in a system that isn't ours. {@link Settled} and {@link Refused} are final, and every repeat is told the same; {@link InDoubt} is what is known at this moment. Immutable.
 *
 * @param <T> the answer
 */
public sealed interface ClaimResult<T> permits ClaimResult.Settled, ClaimResult.Refused, ClaimResult.InDoubt {

    /** The operation. */
    Key key();

    /**
     * The other system has done it, once.
     *
     * @param kept its answer; empty if the operation was settled before and its answer is no longer kept
     */
    record Settled<T>(Key key, Optional<T> kept) implements ClaimResult<T> {

        /**
         * The answer.
         *
         * @throws IllegalStateException if it is no longer kept; the operation is done all the same
         */
        public T value() {
            return kept.orElseThrow(() -> new IllegalStateException(
                    "operation " + key + " is settled, and its answer is no longer kept; see Scope.keepOutcomes"));
        }
    }

    /**
     * The other system (or a person) has said no, for good: it is not done, and will not be.
     *
     * @param reason what it said
     */
    record Refused<T>(Key key, String reason) implements ClaimResult<T> {}

    /**
     * Nobody knows whether the other system has done it. If it can be asked, it will be; else a person must find out.
     *
     * @param since when the first answer got lost, by the database's clock
     * @param attempts calls that were begun
     * @param lastError what the last one ended with
     */
    record InDoubt<T>(Key key, Instant since, int attempts, String lastError) implements ClaimResult<T> {}
}
