package dev.hapax;

/**
 * The key is older than the window of its scope, so nobody can know any more whether it was applied. It was not applied now. Set it aside for a
 * person, or find out at the source.
 */
public final class TooLateException extends ConflictException {

    private static final long serialVersionUID = 1L;

    public TooLateException(Key key, String message) {
        super("too-late", key, message);
    }
}
