package dev.hapax;

import org.jspecify.annotations.Nullable;

/**
 * The root of all that Hapax throws by itself. What an effect throws goes through unchanged and is never wrapped.
 *
 * <p>The families below say what to do next, and each failure has a stable {@link #code()} with a page in the reference
 * ({@code docs/reference/errors.md}). Messages name keys, states and remedies; never payloads or secrets.
 */
public abstract class HapaxException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String code;

    HapaxException(String code, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** The stable name of this failure, such as {@code key-reused}: for alerts, for clients in other languages, and to look up. */
    public final String code() {
        return code;
    }
}
