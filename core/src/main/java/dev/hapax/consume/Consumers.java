package dev.hapax.consume;

import dev.hapax.consume.source.SourcePartition;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

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

    /** What a caller says about messages that would be applied twice, or never. */
    enum Consequences {
        /** Looks only: nothing is changed. */
        PREVIEW,
        /** They matter: then nothing is changed. */
        REFUSE,
        /** They may be. */
        ACCEPT
    }

    /**
     * How far a consumer has come in the partitions of its source.
     *
     * @return by topic and partition; empty for a consumer of the log
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    List<SourcePosition> positions(String consumer);

    /**
     * Makes a consumer of the log go on elsewhere, whether it runs or not: a process that runs it goes on there within its lease, and what it has in flight is rolled back. All or nothing, in one
     * transaction. Held messages that are read again are not held any longer.
     *
     * @return what was moved, or would be; empty if no consumer of the log is stored under this name
     * @throws IllegalStateException if messages would be applied twice or never, and that is not accepted; or if the name is a relay's. Nothing was changed
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    Optional<Move> seek(String consumer, Start to, Consequences consequences);

    /** As {@link #seek(String, Start, Consequences)}, but only backwards: a position that lies before stays. Nothing is passed over. */
    Optional<Move> replay(String consumer, Start from, Consequences consequences);

    /**
     * Makes a consumer of a source go on elsewhere, whether it runs or not: a process that runs it goes on there within a second or two, and what it has in flight is rolled back. A partition that had
     * stopped goes on. All or nothing, in one transaction.
     *
     * @param to the first number that is to be read, by partition; others stay
     * @param topics what the topics are at the broker, by name, where that was looked up: a number of a topic that was deleted and made anew means another message. The numbers must then have been
     *     found to be there. A partition of other topics can't be moved to or below messages that the consumer holds, since nobody knows whether they could be read again
     * @return what was moved, or would be; empty if no consumer of a source is stored under this name
     * @throws IllegalArgumentException if there is no such position, or a number is negative
     * @throws IllegalStateException as {@link #seek(String, Start, Consequences)}, and because of held messages
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    Optional<Move> seek(
            String consumer, Map<SourcePartition, Long> to, Map<String, UUID> topics, Consequences consequences);

    /** As {@link #seek(String, Map, Map, Consequences)}, but only backwards: a position that lies before stays. Nothing is passed over. */
    Optional<Move> replay(
            String consumer, Map<SourcePartition, Long> from, Map<String, UUID> topics, Consequences consequences);
}
