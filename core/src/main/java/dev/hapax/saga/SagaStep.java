package dev.hapax.saga;

import java.time.Duration;

/**
 * A step with a result, described and not yet done. Add conditions, then {@link #call}. Used by the saga's thread.
 *
 * @param <T> the result
 */
public interface SagaStep<T> {

    /** What undoes it if the saga fails later or is cancelled. Default: nothing does. */
    SagaStep<T> undo(SagaUndo<? super T> undo);

    /** How often it is tried. Default: as the saga's steps are. */
    SagaStep<T> retry(SagaRetry retry);

    /**
     * How long after its first try it may be tried, 1 ms to 400 days. A try that takes longer is interrupted and rolled back, and none follows; one that does not end for a lease more is left behind, and nothing that it does
     * is kept. Default: the saga's own deadline.
     */
    SagaStep<T> within(Duration time);

    /**
     * Does it, unless it has been done. Its effect, its result and the messages that it publishes commit together, with what the saga's code does next: at the latest when the next step begins.
     *
     * @return its result, or the result that it had when it was done
     * @throws SagaStepFailedException if its tries are over; thrown to the saga's code it can be caught, and another way be taken. Nothing of the step is committed
     */
    T call();
}
