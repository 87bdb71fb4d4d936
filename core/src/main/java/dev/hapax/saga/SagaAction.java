package dev.hapax.saga;

import dev.hapax.once.Effect;
import java.time.Duration;

/** A step without a result, described and not yet done. As {@link SagaStep}. */
public interface SagaAction {

    /** As {@link SagaStep#undo}. */
    SagaAction undo(Effect<Exception> undo);

    /** As {@link SagaStep#retry}. */
    SagaAction retry(SagaRetry retry);

    /** As {@link SagaStep#within}. */
    SagaAction within(Duration time);

    /**
     * As {@link SagaStep#call}.
     *
     * @throws SagaStepFailedException if its tries are over
     */
    void run();
}
