package dev.hapax.consume.source;

import dev.hapax.consume.Start;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * One member of a group of readers. Used by one thread, but for {@link #wake}. All methods throw {@link SourceException} if the broker can't be used; a session that threw it from {@link #poll} is
 * closed and opened anew.
 */
public interface SourceSession extends AutoCloseable {

    /** Takes part from now on. */
    void join();

    /** Takes part no longer; nothing is assigned any more, and nobody is told. */
    void leave();

    /** Waits for records, at most so long. */
    SourceBatch poll(Duration longest);

    /** Reads nothing of the partition until {@link #begin}. It must be called for each that is assigned, before the next poll. */
    void hold(SourcePartition partition);

    /** Reads the partition from this number on, whatever was read of it before. */
    void begin(SourcePartition partition, long number);

    /** Reads nothing of these for now, and keeps its place. */
    void pause(Collection<SourcePartition> partitions);

    /** Goes on with these. */
    void resume(Collection<SourcePartition> partitions);

    /** The number at which the next poll goes on: above the last record, and above numbers that hold none. */
    long place(SourcePartition partition);

    /** How many numbers lie above {@link #place}, as far as is known. */
    OptionalLong behind(SourcePartition partition);

    /**
     * What a topic is, beside its name: a topic that was deleted and made anew is another one.
     *
     * @return empty if there is no such topic
     */
    Optional<UUID> identity(String topic);

    /** Where to start in each partition of a topic. */
    Map<SourcePartition, Long> starts(String topic, Start start);

    /** Tells the broker how far the readers are, for tools that look there. Nobody waits for it, and it may fail. */
    void acknowledge(Map<SourcePartition, Long> next);

    /**
     * As {@link #acknowledge}, and waits for it.
     *
     * @return whether the broker took it, which it does only from a member to which the partitions are assigned
     */
    boolean confirm(Map<SourcePartition, Long> next, Duration longest);

    /** What another tool has told the broker of these partitions, where it isn't what this consumer has told it. */
    Map<SourcePartition, Long> toldByOthers(Collection<SourcePartition> partitions);

    /** Ends a poll that waits. Safe for use by many threads. */
    void wake();

    /** Takes part no longer. */
    @Override
    void close();
}
