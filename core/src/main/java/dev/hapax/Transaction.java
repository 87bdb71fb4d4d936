package dev.hapax;

import java.sql.Connection;
import java.time.Instant;

/**
 * What an effect is given: the transaction that also holds the marker. All that is done through it commits together, or not at all.
 *
 * <p>Valid only inside the effect, on its thread. Not safe for use by many threads.
 */
public interface Transaction {

    /**
     * The plain JDBC connection of this transaction; existing repositories work on it unchanged. Committing, rolling back, closing it
     * or changing its auto-commit is refused with {@link IllegalStateException}: the marker would be parted from the effect.
     */
    Connection connection();

    /** The operation that is being applied. */
    Key key();

    /**
     * Publishes a message in the log: it exists if and only if this transaction commits. Its id is a child of the operation's key. Messages are
     * gathered and written in one statement just before the commit.
     *
     * @param topic 1 to 200 characters
     * @param messageKey messages of one key are handled in the order of their transactions; 1 to 200 characters
     * @param body encoded by the service's codec; the encoded form is bounded (1 MiB by default)
     * @throws IllegalArgumentException if something is outside its limits; the transaction is still usable
     */
    void publish(String topic, String messageKey, Object body);

    /**
     * Publishes a message that enters the log at the given time, once. A time in the past means: at once. Order among delayed messages of one key is
     * the order in which they fall due.
     */
    void publishAt(Instant due, String topic, String messageKey, Object body);
}
