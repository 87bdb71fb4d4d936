package dev.hapax;

/**
 * A stream has another version than the one that the events were decided on: somebody has appended meanwhile. Nothing was appended. Read what was added, decide again, and append with the same
 * key at the actual version.
 */
public final class VersionConflictException extends ConflictException {

    private static final long serialVersionUID = 1L;

    private final String stream;
    private final long expected;
    private final long actual;

    public VersionConflictException(Key key, String stream, long expected, long actual) {
        super(
                "version-conflict",
                key,
                "the events of key " + key + " were decided on version " + expected + " of stream " + stream
                        + ", which is at version " + actual
                        + ". Nothing was appended; read what was added, decide again,"
                        + " and append with the same key");
        this.stream = stream;
        this.expected = expected;
        this.actual = actual;
    }

    /** The stream. */
    public String stream() {
        return stream;
    }

    /** The version at which the caller wanted to append. */
    public long expected() {
        return expected;
    }

    /** The version that the stream has; 0 if it has no events. */
    public long actual() {
        return actual;
    }
}
