package dev.hapax.internal.saga;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Ends a run of a saga's code, through that code. An error, so that no handler of exceptions takes it for a failure of a step. */
final class Unwinding extends Error {

    private static final long serialVersionUID = 1L;

    /** The later ones outweigh the earlier ones, where branches end differently. */
    enum Why {
        /** It is to sleep, to wait, or to be tried again later. */
        PARKED,
        /** The code has come to the end of what was done: what undoes it is known. */
        COLLECTED,
        /** What the code was given is not committed, or more has come from outside: it is to be run again. */
        AGAIN,
        /** It had been started before. */
        STARTED_BEFORE,
        /** It could not be started. */
        REFUSED,
        /** The saga's time is over. */
        TIMED_OUT,
        /** The code does not fit what was done, or nobody can know what was done. */
        CHANGED,
        /** Another owner has taken over, or the saga was cancelled. */
        FENCED;

        int gravity() {
            return ordinal();
        }
    }

    private final Why why;
    private final transient Instant due;

    private Unwinding(Why why, @Nullable String message, @Nullable Throwable cause, Instant due) {
        super(message, cause, false, false);
        this.why = why;
        this.due = due;
    }

    static Unwinding of(Why why) {
        return new Unwinding(why, null, null, Instant.MAX);
    }

    static Unwinding again(@Nullable Throwable because) {
        return new Unwinding(Why.AGAIN, null, because, Instant.MAX);
    }

    static Unwinding refused(RuntimeException because) {
        return new Unwinding(Why.REFUSED, null, because, Instant.MAX);
    }

    /** @param what for the operator, who finds it as the reason why the saga is stuck */
    static Unwinding changed(String what) {
        return new Unwinding(Why.CHANGED, what, null, Instant.MAX);
    }

    /** @param due when it goes on by itself; {@link Instant#MAX}: never */
    static Unwinding parked(Instant due) {
        return new Unwinding(Why.PARKED, null, null, due);
    }

    static Unwinding timedOut(String what) {
        return new Unwinding(Why.TIMED_OUT, what, null, Instant.MAX);
    }

    Why why() {
        return why;
    }

    Instant due() {
        return due;
    }

    String said() {
        return String.valueOf(getMessage());
    }
}
