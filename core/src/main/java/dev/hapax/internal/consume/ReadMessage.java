package dev.hapax.internal.consume;

import dev.hapax.Key;
import dev.hapax.log.Message;
import dev.hapax.spi.Codec;
import java.time.Instant;
import java.util.Optional;

/** A message on its way to a handler. */
abstract class ReadMessage implements Message {

    /** About how many bytes of messages are worked on at once: with more, a batch ends there, so that large ones don't fill the heap. */
    static final long TOGETHER_BYTES_MAX = 8L << 20;

    /** The lane under which it is held, if it is: the log's lane, or the place of its partition and key among a broker's. */
    abstract int heldLane();

    /** When the operation that it tells of was made; empty if that isn't known. */
    abstract Optional<Instant> operationTime();

    /** Whether its source passes it over: it is done without being handled. */
    boolean isIgnored() {
        return false;
    }

    /** About how many bytes of the heap it takes. */
    abstract int size();

    /** A large body is read when it is handled. */
    boolean isBodyMissing() {
        return false;
    }

    /** The same with its body, which was missing. Another object, so that whoever keeps a list of messages does not keep their large bodies too. */
    ReadMessage with(byte[] large) {
        throw new IllegalStateException("the body of " + this + " has been read");
    }

    /** @throws IllegalArgumentException if it can't be; the message says why */
    abstract Object decode(Codec codec);

    /** The handling of this message by one consumer, as an operation. */
    final Key handling(String consumer) {
        Key handling = Key.of(consumer, id().toString());
        return handling.time().isPresent()
                ? handling
                : operationTime().map(handling::at).orElse(handling);
    }
}
