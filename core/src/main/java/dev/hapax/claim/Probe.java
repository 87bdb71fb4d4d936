package dev.hapax.claim;

/**
 * What the other system says when it is asked whether it has done an operation. Immutable.
 *
 * @param <T> the answer that the call would have given
 */
public sealed interface Probe<T> permits Probe.Done, Probe.NotDone, Probe.Refused, Probe.Unknown {

    /** It has done it, with this answer. */
    static <T> Probe<T> done(T value) {
        return new Done<>(value);
    }

    /**
     * It has not done it, and what was sent so far will not make it do so: then it may be called again. A call that is still on its way would take effect beside the second one; so unless the
     * other side is idempotent, this is believed only when the last call was begun longer ago than {@link CallPolicy#arrivesWithin}.
     */
    static <T> Probe<T> notDone() {
        return new NotDone<>();
    }

    /** It has refused it, for good. */
    static <T> Probe<T> refused(String reason) {
        return new Refused<>(reason);
    }

    /** It can't say (yet). What is thrown instead of an answer counts as this. */
    static <T> Probe<T> unknown() {
        return new Unknown<>();
    }

    /** See {@link #done}. */
    record Done<T>(T value) implements Probe<T> {}

    /** See {@link #notDone}. */
    record NotDone<T>() implements Probe<T> {}

    /** See {@link #refused}. */
    record Refused<T>(String reason) implements Probe<T> {}

    /** See {@link #unknown}. */
    record Unknown<T>() implements Probe<T> {}
}
