package dev.hapax.saga;

import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.once.Verdict;
import java.time.Duration;

/**
 * Starts sagas, waits for them, signals them. A saga is known by the name of its definition and its key. Safe for use by many threads.
 *
 * <p>All throw {@link dev.hapax.RetryException} if the database can't be reached; calling again with the same key is safe.
 */
public interface Sagas {

    /** What became of a signal. */
    enum Delivery {
        /** The saga has it, and is woken if it waits for it. */
        DELIVERED,
        /** It had been delivered before: nothing was done. */
        REPEATED,
        /** The saga has ended, or is being compensated: nothing was done. */
        TOO_LATE,
        /** No such saga was started, or it ended long ago: nothing was done. */
        UNKNOWN
    }

    /**
     * Starts a saga, once per key. When this returns it is committed, together with its first step where this process has room to run it; the rest goes on without the caller.
     *
     * @param name of a definition that this process or another has registered
     * @param input stored by the service's codec
     * @return {@link Verdict#APPLIED} or {@link Verdict#REPLAYED}
     * @throws IllegalArgumentException if no process has registered such a definition, or the codec can't store the input
     * @throws dev.hapax.KeyReusedException if it was started with another input
     * @throws dev.hapax.TooLateException if the key is older than the window of its scope
     * @throws dev.hapax.PausedException if the scope of the key is paused
     */
    Verdict start(String name, Key key, Object input);

    /** Starts a saga with the transaction of an effect or a handler: it exists if and only if that commits, and runs after that. Otherwise as {@link #start(String, Key, Object)}. */
    Verdict start(Transaction tx, String name, Key key, Object input);

    /**
     * Starts a saga unless it has been started, and waits for its end; what can be done at once is done on the caller's thread.
     *
     * @param answer what its code answers; {@code Void.class} for code without an answer
     * @param within how long to wait; the saga goes on after that
     */
    <T> SagaResult<T> complete(String name, Key key, Object input, Class<T> answer, Duration within);

    /**
     * Waits for the end of a saga.
     *
     * @throws IllegalArgumentException if no such saga was started, or it ended long ago
     */
    <T> SagaResult<T> await(String name, Key key, Class<T> answer, Duration within);

    /**
     * Signals a saga, once per id.
     *
     * @param signal what its code waits for
     * @param id what tells this signal from others to this saga, such as the number of a payment; 1 to 200 characters
     * @param body stored by the service's codec
     * @throws IllegalStateException if 1000 signals wait for the saga; it can be delivered once the saga has received some
     */
    Delivery signal(String name, Key key, String signal, String id, Object body);

    /** Signals a saga with the transaction of an effect or a handler, once per the key of that: so a consumer hands messages on. Until that ends, the saga can't record what it does. Otherwise as {@link #signal(String, Key, String, String, Object)}. */
    Delivery signal(Transaction tx, String name, Key key, String signal, Object body);

    /**
     * Cancels a saga: what was done is undone, and nothing more is done. A step that is being done at this moment and commits later than this is refused, and rolled back.
     *
     * @param reason 1 to 1000 characters
     * @return false if it is being compensated, or has ended
     * @throws IllegalArgumentException if no such saga was started, or it ended long ago
     */
    boolean cancel(String name, Key key, String reason);

    /** Sagas as they are stored: for operators. */
    SagaOperator operator();
}
