package dev.hapax.internal.claim;

import java.time.Duration;

/** A claim that a thread of this process works on, as the keeper sees it. Safe for use by that thread and the keeper. */
final class Running {

    final Held held;
    final TimedCall call = new TimedCall();

    Running(Held held) {
        this.held = held;
    }

    /**
     * Whether the lease is to be extended now. Code that doesn't end when it is interrupted loses the claim after one lease more: then others ask.
     */
    boolean wantsExtension(long nowNanos) {
        long lease = Duration.ofMillis(held.leaseMillis).toNanos();
        return !call.isOverBy(lease, nowNanos) && held.leasedUntilNanos - nowNanos < lease * 2 / 3;
    }
}
