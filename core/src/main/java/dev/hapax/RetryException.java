package dev.hapax;

import org.jspecify.annotations.Nullable;

/**
 * This attempt failed, and it may even have been committed without our hearing of it. <strong>Call again with the same key:</strong>
 * the marker knows, so the effect is not applied twice.
 */
public class RetryException extends HapaxException {

    private static final long serialVersionUID = 1L;

    public RetryException(String message, @Nullable Throwable cause) {
        super("retry", message, cause);
    }

    RetryException(String code, String message) {
        super(code, message, null);
    }
}
