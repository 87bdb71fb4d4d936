package dev.hapax.saga;

/**
 * As {@link SagaCode}, with an answer.
 *
 * @param <I> what it is started with
 * @param <R> what it answers
 */
@FunctionalInterface
public interface SagaFunction<I, R> {

    /**
     * @return the answer, not null; stored by the service's codec
     * @throws Exception the saga has failed: what was done is undone, in reverse order
     */
    R call(Saga saga, I input) throws Exception;
}
