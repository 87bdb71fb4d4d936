package dev.hapax.saga;

/**
 * Thrown to a saga's code: a step has failed for good, and nothing of it is committed. Uncaught, it fails the saga. After a restart the same step throws it again.
 */
public final class SagaStepFailedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String step;
    private final String reason;

    /**
     * @param step the step's name
     * @param reason what its last try ended with
     */
    public SagaStepFailedException(String step, String reason) {
        super("step " + step + " failed: " + reason);
        this.step = step;
        this.reason = reason;
    }

    /** The step's name. */
    public String step() {
        return step;
    }

    /** What its last try ended with: the exception's class and message. */
    public String reason() {
        return reason;
    }
}
