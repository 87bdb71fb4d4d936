package dev.hapax.log;

import dev.hapax.Key;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** A message as a reader gets it. Immutable; the body is not copied, so not to be changed. */
public interface Message {

    /** The same wherever the message goes: a child of the operation's key. */
    UUID id();

    String topic();

    /** Messages of one key are handled in the order of their transactions. */
    String messageKey();

    /** The stored name of what the body is, such as {@code order-placed.v1}. */
    String type();

    byte[] body();

    /** The operation that published it, with its producer and its time. */
    Key operation();

    /** When it entered the log, by the database's clock. */
    Instant publishedAt();

    /** Which lane it lies in, 0 to 15. */
    int lane();

    /** Its place in the lane: grows, with gaps. */
    long number();

    /** The W3C {@code traceparent} of the span that published it. */
    Optional<String> traceparent();

    /** Which try this is, from 1. */
    int attempt();

    /**
     * The record that it was read from, where it was read from a broker.
     *
     * @param type what the source says that its records are, such as {@code ConsumerRecord}
     * @return empty if it was read from something else
     */
    default <T> Optional<T> unwrap(Class<T> type) {
        return Optional.empty();
    }
}
