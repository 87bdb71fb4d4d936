package dev.hapax.internal.claim;

import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.ClaimKind;
import dev.hapax.claim.ClaimKindBuilder;
import dev.hapax.internal.Checks;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The settings of one kind. Not changed after it is started. */
final class KindSettings<R, T> implements ClaimKindBuilder<R, T> {

    final ClaimEngine engine;
    final String scope;
    final Class<R> requestType;
    final Class<T> answerType;
    private final Function<KindSettings<R, T>, ClaimKind<R, T>> starter;
    CallPolicy policy = CallPolicy.notIdempotent();

    @Nullable
    Action<? super R, ? extends T> action;

    @Nullable
    Question<? super R, T> question;

    @Nullable
    Effects<? super R, ? super T> settling;

    @Nullable
    Effects<? super R, String> refusing;

    int concurrency = 16;
    double perSecond = Double.POSITIVE_INFINITY;
    Duration giveUpAfter = Duration.ofDays(1);
    Duration idle = Duration.ofMillis(500);

    @Nullable
    Path journal;

    KindSettings(
            ClaimEngine engine,
            String scope,
            Class<R> requestType,
            Class<T> answerType,
            Function<KindSettings<R, T>, ClaimKind<R, T>> starter) {
        this.engine = engine;
        this.scope = scope;
        this.requestType = requestType;
        this.answerType = answerType;
        this.starter = starter;
    }

    @Override
    public ClaimKindBuilder<R, T> perform(Action<? super R, ? extends T> yours) {
        action = yours;
        return this;
    }

    @Override
    public ClaimKindBuilder<R, T> probe(Question<? super R, T> yours) {
        question = yours;
        return this;
    }

    @Override
    public ClaimKindBuilder<R, T> policy(CallPolicy yours) {
        policy = yours;
        return this;
    }

    @Override
    public ClaimKindBuilder<R, T> settling(Effects<? super R, ? super T> effects) {
        settling = effects;
        return this;
    }

    @Override
    public ClaimKindBuilder<R, T> refusing(Effects<? super R, String> effects) {
        refusing = effects;
        return this;
    }

    @Override
    public ClaimKindBuilder<R, T> concurrency(int calls) {
        concurrency = Checks.range("concurrency", calls, 1, 10_000);
        return this;
    }

    @Override
    public ClaimKindBuilder<R, T> rate(double limit) {
        Checks.that(
                limit >= 0.001 && limit <= 1_000_000,
                "rate must be between 0.001 and 1,000,000 calls a second; it was %s",
                limit);
        perSecond = limit;
        return this;
    }

    @Override
    public ClaimKindBuilder<R, T> giveUpAfter(Duration time) {
        giveUpAfter = Checks.duration("giveUpAfter", time, Duration.ofSeconds(1), Duration.ofDays(400));
        return this;
    }

    @Override
    public ClaimKindBuilder<R, T> journalOutages(Path folder) {
        journal = folder;
        return this;
    }

    @Override
    public ClaimKindBuilder<R, T> idle(Duration longest) {
        idle = Checks.duration("idle", longest, Duration.ofMillis(1), Duration.ofMinutes(1));
        return this;
    }

    @Override
    public ClaimKind<R, T> start() {
        check();
        return starter.apply(this);
    }

    void check() {
        Checks.state(action != null, "claims of %s have nothing to call; call .perform(…)", scope);
        Checks.state(
                journal == null || policy.isIdempotent(),
                "claims of %s journal outages, during which two processes can't see each other; that needs"
                        + " CallPolicy.idempotent(), and the other system must honour the key",
                scope);
    }
}
