package dev.hapax.once;

import java.util.Optional;

/**
 * The answer of an operation, and whether this call applied it.
 *
 * @param <T> the answer
 */
public sealed interface Result<T> permits Result.Applied, Result.Replayed {

    /**
     * The operation's first answer, whoever applied it.
     *
     * @throws IllegalStateException if the operation was applied before and its answer is no longer kept; the effect is in place all the
     *     same. Ask {@link #kept()} where that can happen
     */
    T value();

    /** The answer, if this call made it or it is still kept. */
    Optional<T> kept();

    /** Whether this call applied the effect. */
    default boolean isApplied() {
        return this instanceof Applied;
    }

    /**
     * This call applied the effect.
     *
     * @param value its answer
     */
    record Applied<T>(T value) implements Result<T> {
        @Override
        public Optional<T> kept() {
            return Optional.of(value);
        }
    }

    /**
     * The effect had been applied before (or by a call of ours whose answer got lost on the way); this call changed nothing.
     *
     * @param kept the first answer, empty if it is no longer kept
     */
    record Replayed<T>(Optional<T> kept) implements Result<T> {
        @Override
        public T value() {
            return kept.orElseThrow(() -> new IllegalStateException(
                    "the operation was applied before, and its answer is no longer kept; see Scope.keepOutcomes"));
        }
    }
}
