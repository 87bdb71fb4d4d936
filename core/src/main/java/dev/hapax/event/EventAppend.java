package dev.hapax.event;

import dev.hapax.once.Result;
import java.time.Duration;
import java.util.List;

/**
 * Events that are to be appended to a stream, once per key: all of them or none, in one commit with the key's marker. Got from {@link EventStream#append}; say on which version they were decided, then
 * end with a verb.
 *
 * <p>The verbs throw what {@link dev.hapax.once.Once} throws, and {@link dev.hapax.VersionConflictException}.
 *
 * <p>Not safe for use by many threads; make one per call.
 */
public interface EventAppend {

    /**
     * The version of the stream that the events were decided on; 0 for a stream that must not be there yet. If it has another one, {@link dev.hapax.VersionConflictException} says which.
     *
     * @param version 0 or more
     */
    EventAppend expecting(long version);

    /** Appends at whatever version the stream has: for events that don't depend on those before them. */
    EventAppend expectingAny();

    /** As {@link dev.hapax.once.Once#matching(Object)}. */
    EventAppend matching(Object request);

    /** As {@link dev.hapax.once.Once#waitUpTo(Duration)}; it also bounds the wait for another append to the same stream. */
    EventAppend waitUpTo(Duration time);

    /**
     * Appends one or more events.
     *
     * @param first encoded by the service's codec, which names its type
     * @param more likewise
     * @return the stream's version after them. A repeat of the key changes nothing and gets the version that the stream had after the first time, however long ago that was
     * @throws dev.hapax.VersionConflictException if the stream has another version; nothing was appended
     * @throws dev.hapax.KeyReusedException if the key was applied with another request, or was not for this stream
     * @throws IllegalStateException if no version was named
     * @throws IllegalArgumentException if there are more than {@value EventStream#EVENTS_MAX}, or one can't be encoded, or is too large
     */
    Result<Long> events(Object first, Object... more);

    /** As {@link #events(Object, Object...)}, of a list that isn't empty. */
    Result<Long> events(List<?> events);
}
