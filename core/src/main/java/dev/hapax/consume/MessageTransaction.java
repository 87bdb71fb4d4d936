package dev.hapax.consume;

import dev.hapax.Transaction;
import dev.hapax.log.Message;

/**
 * What a handler is given: the transaction that also holds the reader's position. Its {@link #key()} is the handling of this message: the consumer's name as
 * scope, the message's id, the operation's time.
 *
 * <p>Valid only inside the handler, on its thread.
 */
public interface MessageTransaction extends Transaction {

    /** The message with all that is known of it. */
    Message message();
}
