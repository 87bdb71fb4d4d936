package dev.hapax.saga;

/**
 * The code of a saga: plain Java with branches and loops, and named steps. It is run again from its beginning after a restart and after each sleep or wait; steps that are done return then what they returned. So
 * whatever it does between steps must come out the same each time: effects, and everything that asks the clock, chance or another system, belong into steps. A call of the saga's may end the run by
 * an {@link Error}, which must not be caught.
 *
 * @param <I> what it is started with
 */
@FunctionalInterface
public interface SagaCode<I> {

    /** @throws Exception the saga has failed: what was done is undone, in reverse order */
    void run(Saga saga, I input) throws Exception;
}
