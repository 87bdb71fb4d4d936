package dev.hapax.internal.claim;

import dev.hapax.Transaction;
import dev.hapax.claim.Call;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Probe;

/**
 * What the service has to say about one claim: its code, whether it was given for this claim alone or for its kind.
 *
 * @param <T> the answer
 */
interface ClaimHandler<T> {

    Class<T> type();

    CallPolicy policy();

    T perform(Call call) throws Exception;

    /** Whether the other side can be asked. */
    boolean canAsk();

    Probe<T> ask(Call call) throws Exception;

    /** Whether there are effects in our own database with this end. */
    boolean hasEffects(Known known);

    /** Effects of an answer. */
    void settling(T answer, Transaction tx) throws Exception;

    /** Effects of a refusal. */
    void refusing(String reason, Transaction tx) throws Exception;
}
