package dev.hapax.internal.claim;

import dev.hapax.spi.Breaker;

/**
 * A breaker's leave for one call. Whatever comes between the leave and the call's end, the breaker is told: closed without an ending, the leave is given back. Used by one thread.
 */
final class Permit implements AutoCloseable {

    private final Breaker breaker;
    private final boolean given;
    private boolean open;

    private Permit(Breaker breaker, boolean given) {
        this.breaker = breaker;
        this.given = given;
        this.open = given;
    }

    /** Asks the breaker. */
    static Permit of(Breaker breaker) {
        return new Permit(breaker, breaker.allows());
    }

    /** Whether the call may be made. */
    boolean isGiven() {
        return given;
    }

    void succeeded() {
        open = false;
        breaker.succeeded();
    }

    void failed(Exception failure) {
        open = false;
        breaker.failed(failure);
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            breaker.released();
        }
    }
}
