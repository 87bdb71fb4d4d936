package dev.hapax.internal.saga;

import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Claim;
import dev.hapax.internal.Checks;
import dev.hapax.saga.SagaClaim;
import dev.hapax.saga.SagaRefund;
import dev.hapax.saga.SagaRetry;
import dev.hapax.saga.SagaUndo;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A step that is a claim, as the saga's code describes it. Used by one thread until it is done. */
final class ClaimPlan<T> implements SagaClaim<T> {

    /** With the default pauses about 20 minutes. */
    private static final SagaRetry RETRY = SagaRetry.attempts(30);

    private static final Duration DAY = Duration.ofDays(1);

    private final SagaContext context;
    final String name;
    final Class<T> type;
    final Claim.Action<? extends T> action;
    CallPolicy policy = CallPolicy.notIdempotent();
    Claim.@Nullable Question<T> question;
    Claim.@Nullable Effects<? super T> settling;

    @Nullable
    SagaUndo<? super T> undo;

    @Nullable
    SagaRefund<? super T> refund;

    Claim.@Nullable Question<String> refundQuestion;
    SagaRetry retry = RETRY;
    Duration within = Duration.ofSeconds(30);

    ClaimPlan(SagaContext context, String name, Class<T> type, Claim.Action<? extends T> action) {
        this.context = context;
        this.name = name;
        this.type = type;
        this.action = action;
    }

    boolean isUndoable() {
        return undo != null || refund != null;
    }

    @Override
    public SagaClaim<T> policy(CallPolicy yours) {
        policy = yours;
        return this;
    }

    @Override
    public SagaClaim<T> probe(Claim.Question<T> yours) {
        question = yours;
        return this;
    }

    @Override
    public SagaClaim<T> settling(Claim.Effects<? super T> effects) {
        settling = effects;
        return this;
    }

    @Override
    public SagaClaim<T> undo(SagaUndo<? super T> yours) {
        undo = yours;
        return this;
    }

    @Override
    public SagaClaim<T> undoneBy(SagaRefund<? super T> yours) {
        refund = yours;
        return this;
    }

    @Override
    public SagaClaim<T> undoneProbe(Claim.Question<String> yours) {
        refundQuestion = yours;
        return this;
    }

    @Override
    public SagaClaim<T> retry(SagaRetry yours) {
        retry = yours;
        return this;
    }

    @Override
    public SagaClaim<T> within(Duration time) {
        within = Checks.duration("within", time, Duration.ofMillis(10), DAY);
        return this;
    }

    @Override
    public T call() {
        return context.perform(this);
    }
}
