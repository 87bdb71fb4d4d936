package dev.hapax.event;

import dev.hapax.Key;
import java.sql.Connection;
import java.util.List;

/**
 * The events of one thing, in their order: an account, an order. Got from {@link dev.hapax.Hapax#events(String)}; a stream is there as soon as it has an event.
 *
 * <p>Safe for use by many threads.
 */
public interface EventStream {

    /** The most events of one append, and of one page. */
    int EVENTS_MAX = 1000;

    /** Its name. */
    String name();

    /**
     * This stream inside a transaction that the caller has open on the connection (auto-commit off) and will commit: {@link #read} sees what that sees, and {@link #append} joins it, as
     * {@link dev.hapax.once.Once#on(Connection)}. A version conflict then dooms the transaction.
     *
     * @throws IllegalStateException if the connection is in auto-commit mode
     */
    EventStream on(Connection connection);

    /**
     * Begins to append, once per key.
     *
     * @param key the operation that the events come from, such as the command that was decided on; every retry repeats it
     */
    EventAppend append(Key key);

    /**
     * Reads a page: events from a version on, in order.
     *
     * @param from the first version to read, from 1
     * @param most 1 to {@value #EVENTS_MAX}
     * @return at most so many, and no more than about 8 MiB of them, but at least one if there is one: empty only at the end. Go on after the last one's version
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    List<Event> read(long from, int most);

    /**
     * The version of its last event; 0 if it has none.
     *
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    long version();
}
