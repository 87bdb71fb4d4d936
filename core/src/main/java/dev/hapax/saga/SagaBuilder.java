package dev.hapax.saga;

import java.time.Duration;

/**
 * A definition of sagas, got from {@link dev.hapax.Hapax#saga(String, Class)}: describe it, then give its code, which registers it in this process. All processes that register it share its sagas. Not safe for use by many threads.
 *
 * <p>All setters throw {@link IllegalArgumentException} for a value outside its range.
 *
 * @param <I> what a saga is started with
 */
public interface SagaBuilder<I> {

    /**
     * You may tune: which version of the definition this is, 1 to 1,000,000. Default 1. A saga keeps the version that it was started with, and is started with the highest that its process has registered; so register the old
     * code as well for as long as sagas of it are in flight.
     */
    SagaBuilder<I> version(int number);

    /** You may tune: how long after its start a saga may go on, 1 ms to 400 days; then it is compensated, and a step that is being tried is interrupted and rolled back. Default: for ever. */
    SagaBuilder<I> deadline(Duration time);

    /** You may tune: how often steps are tried. Default 5 times. */
    SagaBuilder<I> retry(SagaRetry retry);

    /** You may tune: how often compensations are tried. Default 10 times; then the saga is stuck. */
    SagaBuilder<I> retryUndo(SagaRetry retry);

    /** You may tune: how many sagas of it this process runs at once, 1 to 10,000. Default 16. Each holds a connection while it is in a step. Those that sleep or wait don't count. */
    SagaBuilder<I> concurrency(int sagas);

    /** You probably shouldn't: how long a process may be silent before others take over its sagas, 500 ms to 10 minutes. Default 3 seconds. A process that wakes up after that changes nothing. */
    SagaBuilder<I> lease(Duration time);

    /**
     * Registers it, with its code.
     *
     * @throws IllegalStateException if this process has registered this name and version already
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    void run(SagaCode<? super I> code);

    /**
     * Registers it, with code that answers. Otherwise as {@link #run}.
     *
     * @param result what it answers
     */
    <R> void call(Class<R> result, SagaFunction<? super I, ? extends R> code);
}
