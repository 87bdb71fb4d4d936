package dev.hapax.internal;

import dev.hapax.RetryException;

/**
 * How often a transaction is tried, and how long is waited between. Exponential with full jitter, from 5 ms, at most half a second: a
 * deadlock's partners must not meet again at once.
 *
 * @param attemptsMax tries in all, the first included; 1 to 100
 */
public record Retries(int attemptsMax) {

    private static final long FIRST_MILLIS = 5;
    private static final long LONGEST_MILLIS = 500;

    /** Waits before the next try. */
    public void pause(int attempt) {
        long bound = Math.min(LONGEST_MILLIS, FIRST_MILLIS << Math.min(attempt, 10));
        try {
            Thread.sleep(1 + SystemSource.INSTANCE.jitter(bound));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RetryException("interrupted while waiting to try again; call again with the same key", e);
        }
    }
}
