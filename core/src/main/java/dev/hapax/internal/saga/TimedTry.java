package dev.hapax.internal.saga;

import dev.hapax.internal.SystemSource;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A try of a step whose time is limited. The keeper interrupts it when its time is over; one that goes on for a lease more is given up: from then on nothing that its thread does is kept, and the saga goes on elsewhere. Safe
 * for use by its thread and the keeper.
 */
final class TimedTry {

    private final Thread thread = Thread.currentThread();
    private final long endsNanos;
    private final Supplier<@Nullable StepRow> failure;
    private boolean over;
    private boolean cut;
    private boolean givenUp;
    private boolean handedOver;

    /**
     * The effect begins, on this thread.
     *
     * @param left how long it may take
     * @param failure what is recorded if it is given up; null for nothing
     */
    TimedTry(Duration left, Supplier<@Nullable StepRow> failure) {
        this.endsNanos = SystemSource.INSTANCE.nanos() + left.toNanos();
        this.failure = failure;
    }

    /**
     * The effect has ended: its thread is not interrupted any more, and an interrupt that came too late is taken back.
     *
     * @return whether it was interrupted because its time was over
     * @throws Unwinding if it was given up
     */
    synchronized boolean end() {
        if (cut && !over) {
            Thread.interrupted();
        }
        over = true;
        if (givenUp) {
            throw Unwinding.of(Unwinding.Why.FENCED);
        }
        return cut;
    }

    /** Interrupts it once its time is over. */
    synchronized void look(long nowNanos) {
        if (!over && !cut && nowNanos - endsNanos >= 0) {
            cut = true;
            thread.interrupt();
        }
    }

    /**
     * Whether it is to be given up now: it has gone on for so long after its end. True once, unless {@link #notHandedOver}.
     *
     * @param graceNanos how long it may take to end
     */
    synchronized boolean givesUp(long nowNanos, long graceNanos) {
        if (over || handedOver || nowNanos - endsNanos <= graceNanos) {
            return false;
        }
        givenUp = true;
        handedOver = true;
        return true;
    }

    /** That could not be written, and is tried again. */
    synchronized void notHandedOver() {
        handedOver = false;
    }

    /** What is recorded of it. */
    @Nullable
    StepRow failure() {
        return failure.get();
    }
}
