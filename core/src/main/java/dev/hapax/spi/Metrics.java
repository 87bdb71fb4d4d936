package dev.hapax.spi;

import java.util.function.DoubleSupplier;

/**
 * Receives what Hapax counts. {@link dev.hapax.micrometer.MicrometerMetrics} is the implementation to use; the default counts nothing.
 * Scopes and consumers are few and named by the service; keys never come here.
 *
 * <p>Implementations must be safe for use by many threads, quick, and must not throw.
 */
public interface Metrics {

    /** What became of one operation, in its scope. */
    enum Ending {
        /** The effect was applied now. */
        APPLIED,
        /** It had been applied before; nothing was done. */
        REPLAYED,
        /** The key had been used for another request. */
        CONFLICTING,
        /** The key was older than the window. */
        LATE,
        /** The key's time lay in the future. */
        EARLY,
        /** Another transaction was applying it, and the caller did not wait. */
        IN_PROGRESS,
        /** The scope was paused. */
        PAUSED,
        /** The effect or the database failed; nothing was applied. */
        FAILED
    }

    /** What became of one message, in its consumer. */
    enum Handling {
        /** Its effect was applied. */
        APPLIED,
        /** Its effect had been applied before; it was passed over. */
        REPEATED,
        /** It failed and waits for its next try. */
        RETRIED,
        /** It waits behind an earlier message of its key. */
        WAITING,
        /** It was set aside for a person. */
        QUARANTINED
    }

    /** What became of one operation in a system that isn't ours, in its scope. */
    enum Claiming {
        /** Its answer was settled. */
        SETTLED,
        /** The other system, or a person, said no for good. */
        REFUSED,
        /** Its call ended without an answer. */
        IN_DOUBT,
        /** It was taken over from an owner whose lease had run out. */
        TAKEN_OVER,
        /** A write was refused because another owner had taken over. */
        FENCED
    }

    /** What became of one saga, under its name. */
    enum SagaEvent {
        /** It was started. */
        STARTED,
        /** Its code has returned. */
        COMPLETED,
        /** It failed or ran out of time, and has been undone. */
        COMPENSATED,
        /** It was cancelled, and has been undone. */
        CANCELLED,
        /** It needs a person. */
        STUCK,
        /** It was taken over from a process that was lost. */
        TAKEN_OVER,
        /** A write was refused because it had another owner, or had been cancelled. */
        FENCED
    }

    /** What became of one try of a saga's step. */
    enum StepEvent {
        /** It was done. */
        DONE,
        /** A try failed. */
        FAILED,
        /** It was undone: a compensating action. */
        UNDONE,
        /** A try to undo it failed. */
        UNDO_FAILED
    }

    /** The metrics that count nothing. */
    Metrics NONE = new Metrics() {};

    /** A scope exists: its series start at 0. */
    default void scope(String scope) {}

    default void once(String scope, Ending ending, long count) {}

    /** One transaction was tried again after a deadlock, a serialization failure or a lost connection. */
    default void retried(String scope) {}

    /** How long the marker's statement took. */
    default void markerNanos(String scope, long nanos) {}

    /** How long a connection of the pool was waited for. */
    default void poolWaitNanos(long nanos) {}

    /** A consumer exists: its series start at 0. The suppliers are asked when the gauges are read. */
    default void consumer(String consumer, DoubleSupplier lagMessages, DoubleSupplier lagSeconds) {}

    /** A consumer has stopped in this process. */
    default void consumerStopped(String consumer) {}

    default void handled(String consumer, Handling handling, long count) {}

    /** One batch was committed. */
    default void batch(String consumer, int messages, long nanos) {}

    /** How many tries a message took until it was applied or set aside. */
    default void attempts(String consumer, int attempts) {}

    /** A batch was tried again after a deadlock or a serialization failure. */
    default void batchRetried(String consumer) {}

    /** This process found that the database has gone back in time. */
    default void rewound() {}

    /** A write was refused because another owner had taken over. */
    default void fenced(String consumer) {}

    /** A lane stands still: so many numbers are missing that could still appear, that no new messages are read. Once per time that it does. */
    default void stalled(String consumer) {}

    /** A scope has operations in systems that aren't ours: its series start at 0. The suppliers are asked when the gauges are read. */
    default void claims(String scope, DoubleSupplier inDoubt, DoubleSupplier oldestInDoubtSeconds) {}

    default void claim(String scope, Claiming ending) {}

    /** How long one call of another system took, whatever it ended with. */
    default void callNanos(String scope, long nanos) {}

    /** A saga's definition is registered: its series start at 0. */
    default void saga(String name) {}

    default void saga(String name, SagaEvent event) {}

    default void sagaStep(String name, StepEvent event) {}
}
