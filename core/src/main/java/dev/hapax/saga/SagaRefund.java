package dev.hapax.saga;

import dev.hapax.claim.Call;

/**
 * A call that undoes in another system what a step did there.
 *
 * @param <T> the step's answer
 */
@FunctionalInterface
public interface SagaRefund<T> {

    /**
     * Makes the call, with {@link Call#idempotencyKey()}.
     *
     * @throws Exception as {@link dev.hapax.claim.Claim.Action#perform}
     */
    void undo(T answer, Call call) throws Exception;
}
