package dev.hapax.examples.demo;

import org.jspecify.annotations.Nullable;

/** The demo can't go on: not a verdict, but trouble with the machine, a process or a directory. The message is for the person who ran it. */
public final class DemoException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DemoException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
