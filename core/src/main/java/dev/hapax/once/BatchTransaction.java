package dev.hapax.once;

import dev.hapax.Key;
import dev.hapax.Transaction;
import java.sql.Connection;

/**
 * The one transaction of a batch. Valid only inside the effect, on its thread.
 */
public interface BatchTransaction {

    /** As {@link Transaction#connection()}. */
    Connection connection();

    /** The transaction as seen by one operation of the batch: what it publishes is a child of that operation's key. */
    Transaction of(Key key);
}
