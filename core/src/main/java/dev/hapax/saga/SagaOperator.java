package dev.hapax.saga;

import dev.hapax.Key;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Sagas as they are stored, for operators. What a person does to one is recorded with its reason, in the same commit, and done once however often it is said. Safe for use by many threads.
 */
public interface SagaOperator {

    /** The longest list. */
    int LIST_MAX = 10_000;

    /** A saga. */
    interface Stored {

        /** What it is called in the calls below. */
        UUID id();

        String name();

        int version();

        Key key();

        SagaState state();

        Instant startedAt();

        /** When it ended; empty if it has not. */
        Optional<Instant> endedAt();

        /** When it is taken up next, by itself; empty if a process holds it, if it has ended, or if only a signal or a person can wake it. */
        Optional<Instant> dueAt();

        /** When it runs out of time. */
        Optional<Instant> deadlineAt();

        /** Which process holds it. */
        Optional<UUID> owner();

        /** How often its process was lost. */
        int losses();

        /** Why it failed, was cancelled or is stuck. */
        Optional<String> reason();

        /** The saga that waits for it. */
        Optional<UUID> parent();
    }

    /** One step of a saga, or the compensation of one. */
    interface StoredStep {

        /** Its name, with its branch, and with {@code #2} and so on if it came again. */
        String name();

        /** {@code STEP}, {@code SLEEP}, {@code WAIT}, {@code CHILD} or {@code CLAIM}. */
        String kind();

        /** Whether this is the compensation. */
        boolean isUndo();

        /** {@code OPEN}, {@code TRYING}, {@code DONE}, {@code FAILED} or {@code SKIPPED}. */
        String state();

        int attempts();

        /** When its last try began. */
        Instant beganAt();

        /** When it was done, or gave up; empty if it has not. */
        Optional<Instant> endedAt();

        /** When a sleep or a wait is over, or the next try is due. */
        Optional<Instant> dueAt();

        /** The stored name of its result's type. */
        Optional<String> type();

        /** What its last try ended with; of a skipped one, why. */
        Optional<String> reason();

        /** The token of the process that wrote it: it grows with each owner of the saga. */
        long token();
    }

    /**
     * What a person did.
     *
     * @param action {@code RETRY}, {@code SKIP}, {@code FORCE} or {@code CANCEL}
     * @param step empty where the saga as a whole is meant
     */
    record Action(Instant at, String action, Optional<String> step, String reason, String by) {}

    /**
     * Sagas, oldest first.
     *
     * @param states only those
     * @param limit 1 to {@link #LIST_MAX}
     */
    List<Stored> list(Set<SagaState> states, int limit);

    /** As {@link #list(Set, int)}, of one definition. */
    List<Stored> list(String name, Set<SagaState> states, int limit);

    Optional<Stored> find(UUID id);

    /** Those with this id in their key, of whatever name, scope and producer; at most 100. Looks through all sagas. */
    List<Stored> find(String keyId);

    /** The steps of a saga, in the order in which they were done. */
    List<StoredStep> steps(UUID id);

    /** What persons did to a saga, in order. */
    List<Action> actions(UUID id);

    /**
     * Lets a saga go on that is stuck, with all its tries; one that waits for its next try makes it now.
     *
     * @param ruling who and why
     * @return false if it is neither: nothing was done
     */
    boolean retry(UUID id, Ruling ruling);

    /**
     * Leaves a step as it is: it will not be undone by the saga. One that is stuck goes on.
     *
     * @param step the name as in {@link StoredStep#name}
     * @return false if it has no such step to undo (any more), or is neither compensating nor stuck while it was: nothing was done. One that is stuck before it compensates is cancelled first
     */
    boolean skip(UUID id, String step, Ruling ruling);

    /**
     * Ends a saga that is compensating, or stuck while it was, without undoing anything more. What was done and not undone stays: a person has seen to it.
     *
     * @return false if it is neither: nothing was done. One that is stuck before it compensates is cancelled first
     */
    boolean force(UUID id, Ruling ruling);

    /**
     * As {@link Sagas#cancel}; also one that is stuck before it was compensated.
     *
     * @return false if it is being compensated or has ended: nothing was done
     */
    boolean cancel(UUID id, Ruling ruling);

    /**
     * Who decides, and why.
     *
     * @param reason 1 to 1000 characters
     * @param by 1 to 200 characters
     */
    record Ruling(String reason, String by) {
        /**
         * @throws IllegalArgumentException if one of them is outside its limits
         */
        public Ruling {
            dev.hapax.internal.Checks.text("reason", reason, 1000);
            dev.hapax.internal.Checks.text("by", by, 200);
        }
    }
}
