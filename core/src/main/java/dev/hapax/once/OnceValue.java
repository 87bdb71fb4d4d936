package dev.hapax.once;

import java.sql.Connection;
import java.time.Duration;

/**
 * One operation with an answer. As {@link Once}, and the answer is encoded by the service's codec and kept beside the marker for the scope's time.
 *
 * @param <T> the answer
 */
public interface OnceValue<T> {

    /** As {@link Once#matching(Object)}. */
    OnceValue<T> matching(Object request);

    /** As {@link Once#on(Connection)}. */
    OnceValue<T> on(Connection connection);

    /** As {@link Once#waitUpTo(Duration)}. */
    OnceValue<T> waitUpTo(Duration time);

    /** As {@link Once#refuseIfInProgress()}. */
    OnceValue<T> refuseIfInProgress();

    /**
     * Applies the effect and keeps its answer, unless it has been applied; a repeat gets the first answer.
     *
     * @throws E what the effect throws; nothing was committed then
     * @throws IllegalArgumentException if the codec can't encode the answer; nothing was committed then
     * @throws dev.hapax.DamagedException if the kept answer can't be read back
     */
    <E extends Exception> Result<T> call(ValueEffect<T, E> effect) throws E;
}
