package dev.hapax.consume.source;

import dev.hapax.log.Message;
import dev.hapax.spi.Codec;
import java.time.Instant;
import java.util.Optional;

/** A record of a source, as a message. {@link #lane()} is its partition, {@link #number()} its number there. Used by one thread at a time. */
public interface SourceRecord extends Message {

    /** When the operation that it tells of was made, if it says so; the same in each repeat. */
    Optional<Instant> operationTime();

    /** Whether it is passed over without being handled. */
    boolean isIgnored();

    /**
     * @throws IllegalArgumentException if it can't be; the message says why, without the payload
     */
    Object decode(Codec codec);

    /** All of it but topic, partition, number, time and body, for {@link Source#restore}. */
    byte[] envelope();

    /** About how many bytes of the heap it takes. */
    int size();
}
