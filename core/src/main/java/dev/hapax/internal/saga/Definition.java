package dev.hapax.internal.saga;

import dev.hapax.saga.Saga;
import dev.hapax.saga.SagaRetry;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A definition that this process has registered.
 *
 * @param id the stored number of its name and version
 * @param work its code and the types of what goes in and comes out
 * @param rules what the builder was told
 * @param room how many of it this process runs
 */
record Definition(int id, String name, int version, Work work, Rules rules, Room room) {

    /** Code, with its types taken off. */
    @FunctionalInterface
    interface Code {
        @Nullable
        Object run(Saga saga, Object input) throws Exception;
    }

    /**
     * What is run.
     *
     * @param result null for code without an answer
     */
    record Work(Class<?> input, @Nullable Class<?> result, Code code) {}

    /** How it is run. */
    record Rules(
            SagaRetry retry, SagaRetry retryUndo, @Nullable Duration deadline, Duration lease, int concurrency) {}
}
