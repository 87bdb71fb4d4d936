package dev.hapax;

/** The key contradicts what is already known of it, or the window of its scope. Nothing was changed by this call. */
public abstract class ConflictException extends HapaxException {

    private static final long serialVersionUID = 1L;

    private final transient Key key;

    ConflictException(String code, Key key, String message) {
        super(code, message, null);
        this.key = key;
    }

    /** The key that was asked for. */
    public final Key key() {
        return key;
    }
}
