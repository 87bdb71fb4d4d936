package dev.hapax.event;

/**
 * Rows that are made from events, and can be made again. Its position is committed with its rows, so each event is in them once. Got from {@link ProjectionBuilder#open}.
 *
 * <p>Nothing runs by itself: {@link #catchUp} is called where it suits, such as after an append, before a read or on a timer. In any number of processes: one at a time has its turn.
 *
 * <p>Safe for use by many threads.
 */
public interface Projection {

    /** Its name. */
    String name();

    /**
     * Hands over the events that are there and not done, in their order, in pages that are each one transaction.
     *
     * <p>Events of one stream come in the order of their versions. Between streams the order is about that of their commits: an event whose transaction was slow comes after others that were drawn
     * later, and is never skipped.
     *
     * @return how many events were handed to handlers
     * @throws ProjectionFailedException if a handler failed: its page is not committed, those before it are, and the next call begins there
     * @throws dev.hapax.RetryException if the database can't be reached, or another process has the turn for longer than 30 seconds; call again
     */
    long catchUp();

    /**
     * Goes back: events after this position will be handed over again, by {@link #catchUp}. No effect is repeated, since handlers can have none but their rows, which the caller clears here.
     *
     * @param position 0 for the beginning, up to {@link #position}
     * @param clear removes the rows that come from later events, in the transaction that moves the position
     * @throws IllegalArgumentException if the position is ahead of the projection: events would be skipped
     * @throws E what {@code clear} throws; nothing was changed then
     */
    <E extends Exception> void replayFrom(long position, ProjectionClearing<E> clear) throws E;

    /** Up to here all is done; 0 at the beginning. */
    long position();

    /** Clears rows of a projection. */
    @FunctionalInterface
    interface ProjectionClearing<E extends Exception> {

        /** Clears them, in the transaction of the position. Effects elsewhere are refused, as in handlers. */
        void clear(java.sql.Connection connection) throws E;
    }
}
