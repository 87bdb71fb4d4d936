package dev.hapax.consume;

import java.time.Duration;

/** A running consumer. Safe for use by many threads. */
public interface Consumer extends AutoCloseable {

    String name();

    /**
     * How far this process is behind, in the lanes that it owns, as last measured (about once a second).
     */
    Lag lag();

    /**
     * How far a reader is behind.
     *
     * @param messages numbers that were drawn and not yet passed; an upper bound, since numbers of rolled-back transactions count until they are given up
     * @param oldest how long the oldest unread message has been waiting; zero without one
     */
    record Lag(long messages, Duration oldest) {}

    /**
     * Stops: no new batch begins; a batch in flight commits within the time or is rolled back; the lanes are given to others at once. A handler that goes on is interrupted, and its connection is closed if
     * it waits for the database all the same; so this may take two seconds more than the time.
     *
     * @return whether all ended within the time
     */
    boolean stop(Duration within);

    /** Stops within 10 seconds. */
    @Override
    void close();
}
