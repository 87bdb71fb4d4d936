package dev.hapax.claim;

/**
 * Thrown by the caller's own code inside a call: the other system has said no, for good (card declined, account closed). The operation ends as
 * {@link ClaimResult.Refused}, and every repeat is told the same. Any other exception means that nobody knows.
 */
public final class ClaimRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param reason for people and for repeats, 1 to 1000 characters (longer ones are cut); no secrets */
    public ClaimRefusedException(String reason) {
        super(reason);
    }

    /** As above, with what the other system's client threw. */
    public ClaimRefusedException(String reason, Throwable cause) {
        super(reason, cause);
    }
}
