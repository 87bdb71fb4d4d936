package dev.hapax.internal.saga;

import dev.hapax.internal.Checks;
import dev.hapax.saga.SagaBuilder;
import dev.hapax.saga.SagaCode;
import dev.hapax.saga.SagaFunction;
import dev.hapax.saga.SagaRetry;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The settings of one definition, as they are gathered. */
final class SagaSettings<I> implements SagaBuilder<I> {

    static final int VERSION_MAX = 1_000_000;

    private final SagaEngine engine;
    private final String name;
    private final Class<I> input;
    private int version = 1;
    private SagaRetry retry = SagaRetry.attempts(5);
    private SagaRetry retryUndo = SagaRetry.attempts(10);
    private @Nullable Duration deadline;
    private Duration lease = Duration.ofSeconds(3);
    private int concurrency = 16;

    SagaSettings(SagaEngine engine, String name, Class<I> input) {
        this.engine = engine;
        this.name = Checks.name("the name of a saga", name);
        this.input = input;
    }

    @Override
    public SagaBuilder<I> version(int number) {
        version = Checks.range("version", number, 1, VERSION_MAX);
        return this;
    }

    @Override
    public SagaBuilder<I> deadline(Duration time) {
        deadline = StepPlan.within("deadline", time);
        return this;
    }

    @Override
    public SagaBuilder<I> retry(SagaRetry steps) {
        retry = steps;
        return this;
    }

    @Override
    public SagaBuilder<I> retryUndo(SagaRetry compensations) {
        retryUndo = compensations;
        return this;
    }

    @Override
    public SagaBuilder<I> concurrency(int sagas) {
        concurrency = Checks.range("concurrency", sagas, 1, 10_000);
        return this;
    }

    @Override
    public SagaBuilder<I> lease(Duration time) {
        lease = Checks.duration("lease", time, Duration.ofMillis(500), Duration.ofMinutes(10));
        return this;
    }

    @Override
    public void run(SagaCode<? super I> code) {
        register(null, (saga, given) -> {
            code.run(saga, input.cast(given));
            return null;
        });
    }

    @Override
    public <R> void call(Class<R> result, SagaFunction<? super I, ? extends R> code) {
        register(result, (saga, given) -> code.call(saga, input.cast(given)));
    }

    private void register(@Nullable Class<?> result, Definition.Code code) {
        engine.register(
                name,
                version,
                new Definition.Work(input, result, code),
                new Definition.Rules(retry, retryUndo, deadline, lease, concurrency));
    }
}
