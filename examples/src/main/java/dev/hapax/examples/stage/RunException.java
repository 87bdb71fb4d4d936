package dev.hapax.examples.stage;

import org.jspecify.annotations.Nullable;

/** A run can't go on: not a verdict, but trouble with the machine, a process or a directory. The message is for the person who started it. */
public final class RunException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Says what is wrong.
     *
     * @param message for a person
     * @param cause what lies behind it; null if nothing does
     */
    public RunException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
