package dev.hapax.internal.claim;

import dev.hapax.internal.SystemSource;

/** So many calls a second, with bursts of a tenth of a second. Used by one thread. */
final class RateLimit {

    private static final double NANOS = 1e9;
    private static final double BURST_SECONDS = 0.1;

    private final double perSecond;
    private final double most;
    private double tokens;
    private long refilledNanos = SystemSource.INSTANCE.nanos();

    RateLimit(double perSecond) {
        this.perSecond = perSecond;
        this.most = Math.max(1, perSecond * BURST_SECONDS);
        this.tokens = 1;
    }

    private boolean isUnlimited() {
        return Double.isInfinite(perSecond);
    }

    /** How many may be made now. */
    int available() {
        if (isUnlimited()) {
            return Integer.MAX_VALUE;
        }
        long now = SystemSource.INSTANCE.nanos();
        tokens = Math.min(most, tokens + (now - refilledNanos) / NANOS * perSecond);
        refilledNanos = now;
        return (int) tokens;
    }

    /** One is made. */
    void take() {
        tokens -= isUnlimited() ? 0 : 1;
    }

    /** How long to wait: until the next one may be made, but not longer than given. */
    long waitMillis(long longest) {
        if (isUnlimited() || tokens >= 1) {
            return longest;
        }
        return Math.max(1, Math.min(longest, (long) Math.ceil((1 - tokens) / perSecond * 1000)));
    }
}
