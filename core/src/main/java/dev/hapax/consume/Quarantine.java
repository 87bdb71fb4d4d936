package dev.hapax.consume;

import dev.hapax.log.Message;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Messages that left the log's order: set aside for a person, waiting for their next try, or waiting behind one of those. Safe for use by many threads. */
public interface Quarantine {

    /** In what state a held message is. */
    enum State {
        /** It failed, and is tried again at its time. */
        RETRY,
        /** It waits behind an earlier message of its key. */
        WAITING,
        /** It is set aside for a person. */
        QUARANTINED
    }

    /** A held message. */
    interface Held {

        /** What it is called in the calls below. */
        long id();

        String consumer();

        Message message();

        State state();

        /** Tries so far. */
        int attempts();

        /** Since when it is held. */
        Instant heldAt();

        /** When its next try is due; meaningful in state RETRY. */
        Instant nextAt();

        /** Why the last try failed: the exception's class and message, without payloads of ours. */
        Optional<String> reason();
    }

    /**
     * Held messages of a consumer, oldest first, without their payloads: {@code message().body()} throws {@link IllegalStateException}; see {@link #show}.
     *
     * @param state only those
     * @param limit at most so many, 1 to 10,000
     */
    List<Held> list(String consumer, State state, int limit);

    /** One of them, with its payload. */
    Optional<Held> show(long id);

    /**
     * Lets a message that was set aside be tried again, from its first try on.
     *
     * @return false if it isn't set aside (any more)
     */
    boolean retry(long id);

    /** As {@link #retry}, for all of a consumer that are set aside; returns how many. */
    int retryAll(String consumer);

    /**
     * Drops a held message for good; those that wait behind it go on. Its effect will be missing: say why.
     *
     * @param reason kept with the message and its payload in {@code hapax.discarded}, 1 to 1000 characters
     * @return false if it isn't held (any more)
     */
    boolean discard(long id, String reason);
}
