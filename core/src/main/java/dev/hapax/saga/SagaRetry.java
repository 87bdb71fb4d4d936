package dev.hapax.saga;

import dev.hapax.internal.Checks;
import java.time.Duration;
import java.util.function.Predicate;

/**
 * How often something that fails is tried, and how long is waited between: doubling from the first pause to the longest, each cut at random by up to a half. Waiting costs no thread. Deadlocks,
 * serialization failures and lost connections are tried again at once and don't count.
 *
 * <p>Immutable and safe for use by many threads, if the predicate is.
 */
public final class SagaRetry {

    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofDays(1);

    private final int attempts;
    private final Duration first;
    private final Duration longest;
    private final Predicate<? super Exception> hopeless;

    private SagaRetry(int attempts, Duration first, Duration longest, Predicate<? super Exception> hopeless) {
        this.attempts = attempts;
        this.first = first;
        this.longest = longest;
        this.hopeless = hopeless;
    }

    /** So many tries, the first included: 1 to 1,000,000. Pauses of 200 ms to 1 minute. */
    public static SagaRetry attempts(int most) {
        return new SagaRetry(
                Checks.range("attempts", most, 1, 1_000_000),
                Duration.ofMillis(200),
                Duration.ofMinutes(1),
                failure -> false);
    }

    /** One try. */
    public static SagaRetry none() {
        return attempts(1);
    }

    /** The pauses: the first 1 ms to 1 hour, the longest up to a day. */
    public SagaRetry backoff(Duration firstPause, Duration longestPause) {
        return new SagaRetry(
                attempts,
                Checks.duration("backoff (first)", firstPause, Duration.ofMillis(1), HOUR),
                Checks.duration("backoff (longest)", longestPause, firstPause, DAY),
                hopeless);
    }

    /** Which failures are not tried again: those that will be the same next time, such as an item that is out of stock. */
    public SagaRetry unless(Predicate<? super Exception> isHopeless) {
        return new SagaRetry(attempts, first, longest, isHopeless);
    }

    /** The most tries. */
    public int attemptsMax() {
        return attempts;
    }

    /** Whether it is tried again after this failure. */
    public boolean triesAgainAfter(Throwable failure, int attemptsSoFar) {
        return attemptsSoFar < attempts && !(failure instanceof Exception e && hopeless.test(e));
    }

    /** How long the pause after so many tries is at most. */
    public Duration pauseAfter(int attemptsSoFar) {
        int doublings = Math.min(Math.max(attemptsSoFar - 1, 0), 30);
        long millis = first.toMillis() << doublings;
        boolean over = millis >> doublings != first.toMillis() || millis > longest.toMillis();
        return over ? longest : Duration.ofMillis(millis);
    }
}
