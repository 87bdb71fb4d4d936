package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.claim.Call;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Claim;
import dev.hapax.claim.ClaimResult;
import dev.hapax.claim.Probe;
import dev.hapax.internal.Checks;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One caller's claim, as it is gathered; its code is its caller's alone. */
final class ClaimCall<T> implements Claim<T>, ClaimHandler<T> {

    static final Duration LIMIT_MIN = Duration.ofMillis(10);
    static final Duration LIMIT_MAX = Duration.ofDays(1);

    private final ClaimEngine engine;
    private final Key key;
    private final Class<T> type;
    private CallPolicy policy = CallPolicy.notIdempotent();
    private @Nullable Action<? extends T> action;
    private @Nullable Question<T> question;
    private @Nullable Effects<? super T> settling;
    private @Nullable Effects<String> refusing;
    private byte @Nullable [] fingerprint;
    private boolean waits = true;

    ClaimCall(ClaimEngine engine, Key key, Class<T> type) {
        this.engine = engine;
        this.key = key;
        this.type = type;
    }

    @Override
    public Claim<T> perform(Action<? extends T> yours) {
        action = yours;
        return this;
    }

    @Override
    public Claim<T> probe(Question<T> yours) {
        question = yours;
        return this;
    }

    @Override
    public Claim<T> policy(CallPolicy yours) {
        policy = yours;
        return this;
    }

    @Override
    public Claim<T> settling(Effects<? super T> effects) {
        settling = effects;
        return this;
    }

    @Override
    public Claim<T> refusing(Effects<String> effects) {
        refusing = effects;
        return this;
    }

    @Override
    public Claim<T> matching(Object request) {
        fingerprint = engine.settlements.fingerprint(request);
        return this;
    }

    @Override
    public Claim<T> refuseIfInProgress() {
        waits = false;
        return this;
    }

    @Override
    public ClaimResult<T> settleWithin(Duration limit) {
        Checks.state(action != null, "the claim of %s has nothing to call; call .perform(…)", key);
        Checks.duration("settleWithin", limit, LIMIT_MIN, LIMIT_MAX);
        return engine.settle(new ClaimSpec<>(key, this, fingerprint, null, waits, limit));
    }

    @Override
    public Class<T> type() {
        return type;
    }

    @Override
    public CallPolicy policy() {
        return policy;
    }

    @Override
    public T perform(Call call) throws Exception {
        if (action == null) {
            throw new IllegalStateException("nothing to call");
        }
        return action.perform(call);
    }

    @Override
    public boolean canAsk() {
        return question != null;
    }

    @Override
    public Probe<T> ask(Call call) throws Exception {
        return question == null ? Probe.unknown() : question.ask(call);
    }

    @Override
    public boolean hasEffects(Known known) {
        return (known.isRefusal() ? refusing : settling) != null;
    }

    @Override
    public void settling(T answer, Transaction tx) throws Exception {
        if (settling != null) {
            settling.apply(answer, tx);
        }
    }

    @Override
    public void refusing(String reason, Transaction tx) throws Exception {
        if (refusing != null) {
            refusing.apply(reason, tx);
        }
    }
}
