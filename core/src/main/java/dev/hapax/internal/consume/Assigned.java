package dev.hapax.internal.consume;

import dev.hapax.consume.source.SourcePartition;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A partition that the broker has given to this process. Used by the poller's thread alone. */
final class Assigned {

    /**
     * What is done with it.
     *
     * <pre>
     * FRESH, AGAIN → READING → LEAVING → FRESH, AGAIN, LOST or STOPPED
     * LOST → FRESH (the broker confirms that it is ours)
     * STOPPED → FRESH (an operator says where to go on)
     * </pre>
     */
    enum State {
        /** The broker has just given it to this process: it is to be taken, from whoever had it. */
        FRESH,
        /** It is to be taken anew, if it is still ours. */
        AGAIN,
        /** It is read. */
        READING,
        /** Workers are still about to leave it. */
        LEAVING,
        /** Another process has taken it over, although the broker has not said so. */
        LOST,
        /** It must not be read until an operator says where to go on. */
        STOPPED
    }

    final SourcePartition name;
    private State state = State.FRESH;
    private State afterLeaving = State.FRESH;

    /** As it was taken; null until then. */
    private @Nullable Partition current;

    /** What its topic was when it was taken, beside its name. */
    private @Nullable UUID identity;

    /** Why it was stopped, as long as that has not been written down. */
    private @Nullable String untold;

    Assigned(SourcePartition name) {
        this.name = name;
    }

    State state() {
        return state;
    }

    @Nullable
    Partition current() {
        return current;
    }

    @Nullable
    UUID identity() {
        return identity;
    }

    @Nullable
    String untold() {
        return untold;
    }

    void told() {
        untold = null;
    }

    boolean isReading() {
        return state == State.READING;
    }

    /** It was taken, and is read. */
    void reading(Partition taken, UUID topic) {
        current = taken;
        identity = topic;
        state = State.READING;
    }

    /** It is not read, and no worker has it. */
    void rest(State how) {
        state = how;
    }

    /** It was taken, and can't be read. */
    void stopped(Partition taken, @Nullable String why) {
        current = taken;
        untold = why;
        state = State.STOPPED;
    }

    /** Its workers are to leave it, and then it is to be in the state. */
    void leave(State then) {
        afterLeaving = then;
        state = State.LEAVING;
    }

    /** Its workers are to leave it, and then nobody reads it. */
    void stop(String why) {
        untold = why;
        leave(State.STOPPED);
    }

    /** Goes on if its workers have left it, as they were to. */
    boolean hasLeft() {
        Partition partition = current;
        boolean left = state == State.LEAVING && (partition == null || partition.isLeft());
        if (left) {
            state = afterLeaving;
        }
        return left;
    }
}
