package dev.hapax;

/**
 * The key's time lies in the future, by more than the tolerance for wrong clocks. It was not applied. Correct the clock of whoever made it.
 */
public final class TooEarlyException extends ConflictException {

    private static final long serialVersionUID = 1L;

    public TooEarlyException(Key key, String message) {
        super("too-early", key, message);
    }
}
