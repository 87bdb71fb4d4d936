package dev.hapax.failsafe;

import dev.failsafe.CircuitBreaker;
import dev.hapax.spi.Breaker;
import java.time.Duration;

/**
 * A circuit breaker of Failsafe 3. Share one among all that call the same system. Safe for use by many threads.
 */
public final class FailsafeBreaker implements Breaker {

    private final CircuitBreaker<Object> breaker;

    private FailsafeBreaker(CircuitBreaker<Object> breaker) {
        this.breaker = breaker;
    }

    /** Asks and tells the given one. */
    public static FailsafeBreaker of(CircuitBreaker<Object> breaker) {
        return new FailsafeBreaker(breaker);
    }

    @Override
    public boolean allows() {
        return breaker.tryAcquirePermit();
    }

    @Override
    public void succeeded() {
        breaker.recordSuccess();
    }

    @Override
    public void failed(Exception failure) {
        breaker.recordException(failure);
    }

    /** Failsafe takes no permit back but with an outcome, and only a breaker that is half open counts them. So that one opens again, and tries after its delay. */
    @Override
    public void released() {
        if (breaker.isHalfOpen()) {
            breaker.recordFailure();
        }
    }

    @Override
    public Duration opensIn() {
        return breaker.getRemainingDelay();
    }
}
