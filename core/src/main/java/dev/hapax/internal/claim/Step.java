package dev.hapax.internal.claim;

import dev.hapax.claim.ClaimResult;
import org.jspecify.annotations.Nullable;

/** What one step with a claim has led to. */
sealed interface Step<T> permits Step.Finished, Step.Later {

    /** It is at its end. */
    record Finished<T>(ClaimResult<T> result) implements Step<T> {}

    /**
     * It is to be gone on with later; {@link Held#uncertain} says whether a call may have taken effect.
     *
     * @param waitMillis when; null if only a person can help
     * @param cause what the caller's code threw, if it did
     */
    record Later<T>(
            @Nullable Long waitMillis,
            String error,
            @Nullable Exception cause) implements Step<T> {}
}
