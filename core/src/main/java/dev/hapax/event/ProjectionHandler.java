package dev.hapax.event;

import java.sql.Connection;

/**
 * Writes what an event means into the rows of a projection. It is run again at every replay, so it may have no other effect: operations, claims, sagas, two-phase commits and messages are refused on
 * its thread with {@link IllegalStateException}.
 *
 * @param <T> what the event is decoded to
 */
@FunctionalInterface
public interface ProjectionHandler<T> {

    /**
     * Writes it.
     *
     * @param body the decoded event
     * @param event all else that is known of it
     * @param connection of the transaction that also moves the position; committing or rolling back is refused with {@link IllegalStateException}
     */
    void handle(T body, Event event, Connection connection) throws Exception;
}
