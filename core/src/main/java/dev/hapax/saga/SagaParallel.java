package dev.hapax.saga;

import java.util.function.Supplier;

/**
 * Branches of a saga that go on side by side: describe them, then {@link #join}. Each has steps, sleeps, waits and children of its own, known by the branch's name and theirs; each holds a connection while it is in a
 * step. Used by the saga's thread; what a branch's code is given is used by the branch's thread alone.
 */
public interface SagaParallel {

    /** A branch's code, without an answer. */
    @FunctionalInterface
    interface Branch {
        void run(Saga saga) throws Exception;
    }

    /**
     * A branch's code, with an answer; it is not stored, but made of what the branch's steps return.
     *
     * @param <R> the answer
     */
    @FunctionalInterface
    interface Answering<R> {
        R call(Saga saga) throws Exception;
    }

    /**
     * A branch.
     *
     * @param name as a step's
     */
    SagaParallel run(String name, Branch code);

    /**
     * A branch with an answer.
     *
     * @return gives the answer after {@link #join}
     */
    <R> Supplier<R> call(String name, Answering<R> code);

    /**
     * Runs all branches and waits for them; while all that are left sleep or wait, it costs no thread. Also when one fails, the others come to their end first: so it is the same in every run.
     *
     * @throws Exception what the first branch, in the order of their description, threw
     */
    void join() throws Exception;
}
