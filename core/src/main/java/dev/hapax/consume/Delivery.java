package dev.hapax.consume;

import dev.hapax.Key;
import dev.hapax.log.Message;

/**
 * One message as a {@link BatchHandler} gets it. Immutable.
 *
 * @param <T> what its body is decoded to
 */
public interface Delivery<T> {

    /** The decoded body. */
    T body();

    /** The message with all that is known of it. */
    Message message();

    /** The handling of this message, as an operation: the consumer's name as scope, the message's id, the operation's time. */
    Key key();
}
