package dev.hapax;

/** An operator has paused the scope. Nothing happened; call again with the same key once it is resumed. */
public final class PausedException extends RetryException {

    private static final long serialVersionUID = 1L;

    public PausedException(String message) {
        super("paused", message);
    }
}
