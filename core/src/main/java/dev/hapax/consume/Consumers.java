package dev.hapax.consume;

import java.util.Optional;

/** Consumers by what is stored of them, whoever runs or ran them. Safe for use by many threads. */
public interface Consumers {

    /** What a caller says about messages that a consumer still holds. */
    enum HeldMessages {
        /** They matter: a consumer that holds any is not forgotten. */
        KEEP,
        /** They may go; their effects will be missing. */
        LOSE
    }

    /**
     * What was forgotten.
     *
     * @param lanes how many positions
     * @param held how many messages that waited for their next try, were set aside, or waited behind those
     */
    record Forgotten(int lanes, long held) {}

    /**
     * Forgets a consumer that is no longer used: its positions, which keep days of the log from being dropped, and the messages that it holds. All or nothing, in one transaction.
     *
     * <p>Its positions are what says that a message was handled. A consumer that is started under this name afterwards is a new one: it begins where {@link ConsumerBuilder#startFrom}
     * says, by default with the oldest message that is still there, and applies what its predecessor had applied a second time.
     *
     * @return empty if nothing is stored under this name
     * @throws IllegalStateException if a process still runs it, or if it holds messages that are to be kept; nothing was changed
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    Optional<Forgotten> forget(String consumer, HeldMessages held);
}
