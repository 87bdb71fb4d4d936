package dev.hapax.consume.source;

/**
 * Where a consumer's messages come from, if not from the log: partitions whose records carry numbers that grow. A user gets one from a broker's module, such as {@code KafkaSource}, and gives it to
 * {@link dev.hapax.consume.ConsumerBuilder#from}.
 *
 * <p>What it does is for Hapax's own modules, and may change in any release. Implementations must be safe for use by many threads.
 */
public interface Source {

    /**
     * Looks at the settings, before anything is opened.
     *
     * @throws IllegalArgumentException if the source can't be used by this consumer; the message says which setting, and why
     */
    void check(String consumer);

    /** In which group of readers the consumer takes part. */
    String groupId(String consumer);

    /** The most bytes of records that are read ahead. */
    long readAheadBytes();

    /**
     * Opens a session; it takes part in nothing before it is told to.
     *
     * @param assignments is told what is assigned, from inside {@link SourceSession#poll}
     * @throws SourceException if the broker can't be used
     */
    SourceSession open(String consumer, SourceAssignments assignments);

    /** Makes a record of what was kept of it. */
    SourceRecord restore(KeptRecord kept);
}
