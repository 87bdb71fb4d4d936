package dev.hapax.internal;

import dev.hapax.Key;
import org.jspecify.annotations.Nullable;

/**
 * Whether the current thread is handing events to a projection. Events are handed over again at every replay, so what would take effect elsewhere is refused on that thread: operations, claims,
 * two-phase commits, sagas, messages.
 */
public final class Projecting {

    private static final ThreadLocal<@Nullable String> PROJECTION = new ThreadLocal<>();

    private Projecting() {}

    /** What a projection does with events. */
    @FunctionalInterface
    public interface Work<E extends Exception> {
        void run() throws E;
    }

    /** Runs it with effects refused. */
    public static <E extends Exception> void run(String projection, Work<E> work) throws E {
        String before = PROJECTION.get();
        PROJECTION.set(projection);
        try {
            work.run();
        } finally {
            if (before == null) {
                PROJECTION.remove();
            } else {
                PROJECTION.set(before);
            }
        }
    }

    /** @throws IllegalStateException if this thread is inside a projection's handler */
    public static void refuse(String what, Key key) {
        String projection = PROJECTION.get();
        if (projection != null) {
            throw new IllegalStateException(
                    what + " of key " + key + " is refused: projection " + projection
                            + " handles events on this thread, and each replay would do it again. A projection writes rows with"
                            + " tx.connection(), and nothing else; react to events where they are appended, or in a consumer of a message");
        }
    }
}
