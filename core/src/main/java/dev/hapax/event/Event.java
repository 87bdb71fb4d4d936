package dev.hapax.event;

import dev.hapax.Key;
import java.time.Instant;
import java.util.UUID;

/** An event as it is stored. Immutable. */
public interface Event {

    /** The stream that it belongs to. */
    String stream();

    /** Its place in the stream: 1, 2, 3, without gaps. */
    long version();

    /** Its place among the events of all streams: grows, with gaps; within a stream in the order of versions. */
    long position();

    /** The same wherever the event goes: a child of the operation's key. */
    UUID id();

    /** The stored name of what it is, such as {@code deposited.v1}. */
    String type();

    /** The operation that appended it, with its producer and its time. */
    Key operation();

    /** When it was appended, by the database's clock. */
    Instant recordedAt();

    /**
     * What was appended, decoded by the service's codec.
     *
     * @throws dev.hapax.DamagedException if it can't be read back
     */
    <T> T as(Class<T> type);
}
