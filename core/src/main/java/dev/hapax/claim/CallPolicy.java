package dev.hapax.claim;

import dev.hapax.internal.Checks;
import dev.hapax.spi.Breaker;
import java.time.Duration;
import java.util.function.Predicate;

/**
 * How the other system behaves, and how it is called. One per system, shared by all that call it.
 *
 * <p>Immutable and safe for use by many threads, if the predicates and the breaker are.
 */
public final class CallPolicy {

    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofDays(1);

    private final boolean idempotent;
    private Predicate<? super Exception> didNotHappen = failure -> false;
    private Predicate<? super Exception> refuses = failure -> failure instanceof ClaimRefusedException;
    private Breaker breaker = Breaker.NONE;
    private Duration callWithin = Duration.ofSeconds(10);
    private Duration arrivesWithin = Duration.ofMinutes(1);
    private Duration lease = Duration.ofSeconds(5);
    private Duration backoffFirst = Duration.ofMillis(200);
    private Duration backoffLongest = Duration.ofMinutes(1);
    private int attempts = 5;

    private CallPolicy(boolean idempotent) {
        this.idempotent = idempotent;
    }

    private CallPolicy(CallPolicy other) {
        this.idempotent = other.idempotent;
        this.didNotHappen = other.didNotHappen;
        this.refuses = other.refuses;
        this.breaker = other.breaker;
        this.callWithin = other.callWithin;
        this.arrivesWithin = other.arrivesWithin;
        this.lease = other.lease;
        this.backoffFirst = other.backoffFirst;
        this.backoffLongest = other.backoffLongest;
        this.attempts = other.attempts;
    }

    /** The other system honours {@link Call#idempotencyKey()}, for longer than an operation can be in doubt: two calls with one key have one effect, so a lost answer is had by calling again. */
    public static CallPolicy idempotent() {
        return new CallPolicy(true);
    }

    /** The other system does its work again each time it is called. If it can be asked ({@code probe}), a lost answer is asked for; if not, it is in doubt at once. The default. */
    public static CallPolicy notIdempotent() {
        return new CallPolicy(false);
    }

    /** Which exceptions mean that the call certainly did nothing: a refused connection, a name that is not known. They are tried again without a question. Default: none. */
    public CallPolicy didNotHappen(Predicate<? super Exception> which) {
        CallPolicy next = new CallPolicy(this);
        next.didNotHappen = which;
        return next;
    }

    /** Which exceptions mean that the other system has said no, for good, beside {@link ClaimRefusedException}. The exception's message is the reason. Default: none. */
    public CallPolicy refuses(Predicate<? super Exception> which) {
        CallPolicy next = new CallPolicy(this);
        next.refuses = failure -> failure instanceof ClaimRefusedException || which.test(failure);
        return next;
    }

    /** How long a call or a question may take, 10 ms to 1 hour; then its thread is interrupted. Default 10 seconds. Give the client that makes the call a shorter time-out of its own. */
    public CallPolicy callWithin(Duration limit) {
        CallPolicy next = new CallPolicy(this);
        next.callWithin = Checks.duration("callWithin", limit, Duration.ofMillis(10), HOUR);
        return next;
    }

    /**
     * How long after a call was begun the other system may still act on it: because it is slow, because it queues, because our process was suspended on the way. Until then {@link Probe#notDone()} of a system
     * that is not idempotent is taken for {@link Probe#unknown()}. From 0 (its "not done" is final: a call that comes later is refused) to 1 day; default 1 minute.
     */
    public CallPolicy arrivesWithin(Duration time) {
        CallPolicy next = new CallPolicy(this);
        next.arrivesWithin = Checks.duration("arrivesWithin", time, Duration.ZERO, DAY);
        return next;
    }

    /** Pauses between tries and between questions: doubling from the first to the longest, each cut at random by up to a half. First 1 ms to 1 hour, longest up to 1 day. Default 200 ms and 1 minute. */
    public CallPolicy backoff(Duration first, Duration longest) {
        CallPolicy next = new CallPolicy(this);
        next.backoffFirst = Checks.duration("backoff (first)", first, Duration.ofMillis(1), HOUR);
        next.backoffLongest = Checks.duration("backoff (longest)", longest, first, DAY);
        return next;
    }

    /** How many calls a waiting caller makes before it is told how things stand, 1 to 1000. Default 5. Workers go on until {@link ClaimKindBuilder#giveUpAfter}. */
    public CallPolicy attempts(int most) {
        CallPolicy next = new CallPolicy(this);
        next.attempts = Checks.range("attempts", most, 1, 1000);
        return next;
    }

    /** What stops calls to a system that is down; such as {@link dev.hapax.failsafe.FailsafeBreaker}. Default: nothing does. */
    public CallPolicy breaker(Breaker yours) {
        CallPolicy next = new CallPolicy(this);
        next.breaker = yours;
        return next;
    }

    /** Silence after which another process may take an operation over, 500 ms to 10 minutes; it is extended while a call runs. Default 5 seconds. */
    public CallPolicy lease(Duration time) {
        CallPolicy next = new CallPolicy(this);
        next.lease = Checks.duration("lease", time, Duration.ofMillis(500), Duration.ofMinutes(10));
        return next;
    }

    /** Whether two calls with one key have one effect. */
    public boolean isIdempotent() {
        return idempotent;
    }

    /** Whether the exception means that the call certainly did nothing. */
    public boolean didNotHappen(Exception failure) {
        return didNotHappen.test(failure);
    }

    /** Whether the exception means no, for good. */
    public boolean refuses(Exception failure) {
        return refuses.test(failure);
    }

    public Duration callWithin() {
        return callWithin;
    }

    public Duration arrivesWithin() {
        return arrivesWithin;
    }

    public Duration lease() {
        return lease;
    }

    public Duration backoffFirst() {
        return backoffFirst;
    }

    public Duration backoffLongest() {
        return backoffLongest;
    }

    public int attempts() {
        return attempts;
    }

    public Breaker breaker() {
        return breaker;
    }
}
