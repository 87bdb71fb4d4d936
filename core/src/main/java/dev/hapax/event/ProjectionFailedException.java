package dev.hapax.event;

/**
 * A handler of a projection has failed. The page that the event is in is not committed; the projection stands before it, and goes on from there at the next call. The cause is what the handler has
 * thrown.
 */
public final class ProjectionFailedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient Event event;

    public ProjectionFailedException(String projection, Event event, Throwable cause) {
        super("projection " + projection + " failed on " + event + ": " + cause, cause);
        this.event = event;
    }

    /** The event on which it failed. */
    public Event event() {
        return event;
    }
}
