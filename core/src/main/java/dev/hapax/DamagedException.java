package dev.hapax;

import org.jspecify.annotations.Nullable;

/**
 * Something that must hold does not: a stored row can't be read back, an invariant is broken. Page someone; the message says which proof failed.
 */
public final class DamagedException extends HapaxException {

    private static final long serialVersionUID = 1L;

    public DamagedException(String message, @Nullable Throwable cause) {
        super("damaged", message, cause);
    }
}
