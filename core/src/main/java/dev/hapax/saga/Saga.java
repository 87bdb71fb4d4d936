package dev.hapax.saga;

import dev.hapax.Key;
import dev.hapax.claim.Claim;
import dev.hapax.once.Effect;
import dev.hapax.once.ValueEffect;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A saga, as its code sees it. Steps are known by their names: 1 to 100 letters, digits, {@code . _ -} or {@code /}. A name that comes again, in a loop, is another step each time: the first, the second, and so
 * on. So steps may be added, and put into another order, without harm to what is in flight; a step that was done and now is another kind of step, or has a result of another type, is refused.
 *
 * <p>Valid inside the saga's code, on its thread.
 */
public interface Saga {

    /** What it was started with. */
    Key key();

    /** The name of its definition. */
    String name();

    /** The version of its definition. */
    int version();

    /** When it was started: the same in every run of its code. */
    Instant startedAt();

    /**
     * A step without a result. Its {@link dev.hapax.Transaction#key} is a child of the saga's key.
     *
     * @param effect as {@link SagaStep#call} says: it may be run more than once until one run commits
     */
    SagaAction step(String name, Effect<Exception> effect);

    /**
     * A step with a result.
     *
     * @param result its type, which the service's codec can store
     */
    <T> SagaStep<T> step(String name, Class<T> result, ValueEffect<T, Exception> effect);

    /**
     * A step whose effect lies in a system that isn't ours.
     *
     * @param answer its type, which the service's codec can store
     * @param action the call, with no transaction open
     */
    <T> SagaClaim<T> claim(String name, Class<T> answer, Claim.Action<? extends T> action);

    /**
     * Starts another saga and waits for its end; costs no thread. If this one fails later or is cancelled, the child is undone, too, as far as it had come.
     *
     * @param name as a step's
     * @param definition of the child
     * @param input what the child is started with
     * @param answer what its code answers; {@code Void.class} for code without an answer
     * @return the answer; empty for code without one
     * @throws SagaStepFailedException if the child was compensated or cancelled
     */
    <T> Optional<T> child(String name, String definition, Object input, Class<T> answer);

    /** Branches that go on side by side. */
    SagaParallel parallel();

    /**
     * Sleeps until the instant, as it was when the sleep began; costs no thread.
     *
     * @param name as a step's
     */
    void sleepUntil(String name, Instant until);

    /** Sleeps for a time that begins when it is first called. As {@link #sleepUntil}. */
    void sleep(String name, Duration time);

    /**
     * Waits for a signal of this name ({@link Sagas#signal}); costs no thread. Signals that came earlier count, in the order in which they came, each for one wait.
     *
     * @param type what the signal carries
     * @param within from when it is first called; 1 ms to 400 days
     * @return what came; empty if nothing came in time, and then for ever
     */
    <T> Optional<T> waitFor(String signal, Class<T> type, Duration within);
}
