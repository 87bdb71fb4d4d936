package dev.hapax;

/**
 * Another transaction is applying this key at this moment, and the caller chose not to wait (longer). Call again later with the same key for
 * its answer. In a transaction of the caller's own, roll it back first.
 */
public final class InProgressException extends ConflictException {

    private static final long serialVersionUID = 1L;

    public InProgressException(Key key, String message) {
        super("in-progress", key, message);
    }
}
