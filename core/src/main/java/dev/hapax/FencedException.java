package dev.hapax;

/**
 * Another owner has taken over while this one stood still (a long pause, a lost network): its lease had run out, and what it wanted to write was refused. Nothing was changed by it. Stop; do not retry here. The
 * new owner brings the operation to its end; call again later with the same key for the answer.
 */
public final class FencedException extends HapaxException {

    private static final long serialVersionUID = 1L;

    private final transient Key key;

    public FencedException(Key key, String message) {
        super("fenced", message, null);
        this.key = key;
    }

    /** The operation. */
    public Key key() {
        return key;
    }
}
