package dev.hapax.consume.source;

/** A broker can't be used at the moment, or not with these settings. */
public final class SourceException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param message what failed, and what to do */
    public SourceException(String message, Throwable cause) {
        super(message, cause);
    }
}
