package dev.hapax.spi;

import java.time.Duration;

/**
 * Stops calls to a system that is down. {@link dev.hapax.failsafe.FailsafeBreaker} is the implementation to use; the default stops nothing.
 *
 * <p>Implementations must be safe for use by many threads and must not throw.
 */
public interface Breaker {

    /** The breaker that never opens. */
    Breaker NONE = new Breaker() {
        @Override
        public boolean allows() {
            return true;
        }

        @Override
        public void succeeded() {
            // Nothing is counted.
        }

        @Override
        public void failed(Exception failure) {
            // Nothing is counted.
        }

        @Override
        public void released() {
            // Nothing was lent.
        }

        @Override
        public Duration opensIn() {
            return Duration.ZERO;
        }
    };

    /** Whether a call may be made now. If so, exactly one of {@link #succeeded}, {@link #failed} and {@link #released} follows. */
    boolean allows();

    /** A call has ended with an answer; a refusal is one. */
    void succeeded();

    /** A call has ended without an answer. */
    void failed(Exception failure);

    /** The call that was allowed was not made after all, or ended in a way that tells nothing of the other system. A leave that is one of few must be lent again. */
    void released();

    /** How long to wait before it is worth asking again; zero if unknown. */
    Duration opensIn();
}
