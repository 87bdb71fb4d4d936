package dev.hapax.internal.claim;

import dev.hapax.DamagedException;
import dev.hapax.Transaction;
import dev.hapax.claim.Call;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Probe;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Encoded;

/** A kind's code, with the request of one claim. */
record KindHandler<R, T>(KindSettings<R, T> settings, R request) implements ClaimHandler<T> {

    /**
     * The code for a claim that was stored.
     *
     * @throws DamagedException if its request can't be read back
     */
    static <R, T> KindHandler<R, T> of(KindSettings<R, T> settings, Held held) {
        Encoded request = held.request;
        Settlements settlements = settings.engine.settlements;
        if (request == null) {
            throw new DamagedException("the request of claim " + held.key + " is not stored", null);
        }
        return new KindHandler<>(
                settings, settlements.decodeRequest(held.key, request.type(), request.body(), settings.requestType));
    }

    @Override
    public Class<T> type() {
        return settings.answerType;
    }

    @Override
    public CallPolicy policy() {
        return settings.policy;
    }

    @Override
    public T perform(Call call) throws Exception {
        var action = settings.action;
        if (action == null) {
            throw new IllegalStateException("nothing to call");
        }
        return action.perform(request, call);
    }

    @Override
    public boolean canAsk() {
        return settings.question != null;
    }

    @Override
    public Probe<T> ask(Call call) throws Exception {
        var question = settings.question;
        return question == null ? Probe.unknown() : question.ask(request, call);
    }

    @Override
    public boolean hasEffects(Known known) {
        return (known.isRefusal() ? settings.refusing : settings.settling) != null;
    }

    @Override
    public void settling(T answer, Transaction tx) throws Exception {
        var effects = settings.settling;
        if (effects != null) {
            effects.apply(request, answer, tx);
        }
    }

    @Override
    public void refusing(String reason, Transaction tx) throws Exception {
        var effects = settings.refusing;
        if (effects != null) {
            effects.apply(request, reason, tx);
        }
    }
}
