package dev.hapax.internal.claim;

/**
 * Thrown inside a call by code of Hapax's own that has decided not to call: the operation is refused, for good, and the breaker hears nothing of the other system.
 */
public final class NotCalledException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param reason as of a refusal */
    public NotCalledException(String reason) {
        super(reason);
    }
}
