package dev.hapax.internal.saga;

import dev.hapax.internal.Checks;
import dev.hapax.once.Effect;
import dev.hapax.once.ValueEffect;
import dev.hapax.saga.SagaAction;
import dev.hapax.saga.SagaRetry;
import dev.hapax.saga.SagaStep;
import dev.hapax.saga.SagaUndo;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A step as the saga's code describes it. Used by one thread. */
final class StepPlan<T> {

    private static final Duration WITHIN_MAX = Duration.ofDays(400);

    final String name;

    /** Null for a step without a result; its effect answers something all the same. */
    final @Nullable Class<T> type;

    final ValueEffect<T, Exception> effect;

    @Nullable
    SagaUndo<? super T> undo;

    @Nullable
    SagaRetry retry;

    @Nullable
    Duration within;

    StepPlan(String name, @Nullable Class<T> type, ValueEffect<T, Exception> effect) {
        this.name = name;
        this.type = type;
        this.effect = effect;
    }

    static Duration within(String what, Duration time) {
        return Checks.duration(what, time, Duration.ofMillis(1), WITHIN_MAX);
    }

    /** With a result. */
    record Valued<T>(SagaContext context, StepPlan<T> plan) implements SagaStep<T> {

        @Override
        public SagaStep<T> undo(SagaUndo<? super T> undo) {
            plan.undo = undo;
            return this;
        }

        @Override
        public SagaStep<T> retry(SagaRetry retry) {
            plan.retry = retry;
            return this;
        }

        @Override
        public SagaStep<T> within(Duration time) {
            plan.within = StepPlan.within("within", time);
            return this;
        }

        @Override
        public T call() {
            return context.perform(plan);
        }
    }

    /** Without one. */
    record Plain(SagaContext context, StepPlan<Boolean> plan) implements SagaAction {

        @Override
        public SagaAction undo(Effect<Exception> undo) {
            plan.undo = (done, tx) -> undo.apply(tx);
            return this;
        }

        @Override
        public SagaAction retry(SagaRetry retry) {
            plan.retry = retry;
            return this;
        }

        @Override
        public SagaAction within(Duration time) {
            plan.within = StepPlan.within("within", time);
            return this;
        }

        @Override
        public void run() {
            context.perform(plan);
        }
    }
}
