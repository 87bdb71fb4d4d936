package dev.hapax;

import org.jspecify.annotations.Nullable;

/**
 * Another owner has taken over what this process was working on. Nothing of this attempt was committed. Stop; do not retry here.
 */
public final class FencedException extends HapaxException {

    private static final long serialVersionUID = 1L;

    public FencedException(String message, @Nullable Throwable cause) {
        super("fenced", message, cause);
    }
}
