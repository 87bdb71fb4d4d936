package dev.hapax.internal.claim;

import dev.hapax.internal.SystemSource;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A claim that a thread of this process works on, as the keeper sees it. Safe for use by that thread and the keeper. */
final class Running {

    final Held held;
    private final Thread thread;
    private @Nullable Long callEndsNanos;
    private boolean interrupted;
    private boolean cut;

    Running(Held held) {
        this.held = held;
        this.thread = Thread.currentThread();
    }

    /** The caller's code begins. */
    synchronized void callBegins(Duration limit) {
        cut = false;
        callEndsNanos = SystemSource.INSTANCE.nanos() + limit.toNanos();
    }

    /** The caller's code has ended: it is not interrupted any more, and an interrupt of ours that came too late is taken back. */
    synchronized void callEnds() {
        callEndsNanos = null;
        if (interrupted) {
            interrupted = false;
            Thread.interrupted();
        }
    }

    /** Whether the caller's last code was interrupted because its time was over. */
    synchronized boolean isCut() {
        return cut;
    }

    /** Interrupts the caller's code if its time is over. */
    synchronized void look(long nowNanos) {
        if (callEndsNanos != null && nowNanos - callEndsNanos >= 0 && !interrupted) {
            interrupted = true;
            cut = true;
            thread.interrupt();
        }
    }

    /**
     * Whether the lease is to be extended now. Code that doesn't end when it is interrupted loses the claim after one lease more: then others ask.
     */
    synchronized boolean wantsExtension(long nowNanos) {
        long lease = Duration.ofMillis(held.leaseMillis).toNanos();
        boolean isStuck = callEndsNanos != null && nowNanos - callEndsNanos > lease;
        return !isStuck && held.leasedUntilNanos - nowNanos < lease * 2 / 3;
    }
}
