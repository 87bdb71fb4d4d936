package dev.hapax.saga;

import java.util.Optional;

/**
 * What became of a saga. {@link Completed}, {@link Compensated} and {@link Cancelled} are its end; the others are what is known at this moment.
 *
 * @param <T> the answer
 */
public sealed interface SagaResult<T>
        permits SagaResult.Completed,
                SagaResult.Compensated,
                SagaResult.Cancelled,
                SagaResult.Stuck,
                SagaResult.InFlight {

    /**
     * Its code has returned.
     *
     * @param answer empty for code without an answer
     */
    record Completed<T>(Optional<T> answer) implements SagaResult<T> {

        /**
         * The answer.
         *
         * @throws IllegalStateException if its code has none
         */
        public T value() {
            return answer.orElseThrow(() -> new IllegalStateException("the saga's code has no answer"));
        }
    }

    /**
     * It has failed or has run out of time, and what was done has been undone.
     *
     * @param reason why it failed
     */
    record Compensated<T>(String reason) implements SagaResult<T> {}

    /**
     * It was cancelled, and what was done has been undone.
     *
     * @param reason what was said
     */
    record Cancelled<T>(String reason) implements SagaResult<T> {}

    /**
     * A person must help.
     *
     * @param reason what is in its way
     */
    record Stuck<T>(String reason) implements SagaResult<T> {}

    /**
     * It has not ended in the time that was waited.
     *
     * @param state {@link SagaState#RUNNING}, {@link SagaState#WAITING} or {@link SagaState#COMPENSATING}
     */
    record InFlight<T>(SagaState state) implements SagaResult<T> {}
}
