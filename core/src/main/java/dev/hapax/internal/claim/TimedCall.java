package dev.hapax.internal.claim;

import dev.hapax.internal.SystemSource;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The caller's code on one thread of this process, as the watch sees it: one run after another. Safe for use by that thread and the watch. */
final class TimedCall {

    private final Thread thread = Thread.currentThread();
    private @Nullable Long endsNanos;
    private boolean interrupted;
    private boolean cut;

    /** The caller's code begins. */
    synchronized void begins(Duration limit) {
        cut = false;
        endsNanos = SystemSource.INSTANCE.nanos() + limit.toNanos();
    }

    /** The caller's code has ended: it is not interrupted any more, and an interrupt of ours that came too late is taken back. */
    synchronized void ends() {
        endsNanos = null;
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
        if (endsNanos != null && nowNanos - endsNanos >= 0 && !interrupted) {
            interrupted = true;
            cut = true;
            thread.interrupt();
        }
    }

    /** Whether its time has been over for longer than that. */
    synchronized boolean isOverBy(long nanos, long nowNanos) {
        return endsNanos != null && nowNanos - endsNanos > nanos;
    }
}
