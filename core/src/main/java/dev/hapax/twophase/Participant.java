package dev.hapax.twophase;

import dev.hapax.internal.twophase.DatabaseParticipant;
import javax.sql.XADataSource;
import javax.transaction.xa.XAResource;

/**
 * A resource beside the home database that can prepare transactions: another database, a JMS broker. Hapax keeps sessions and uses each for one branch at a time.
 *
 * <p>Implementations must be safe for use by many threads; their sessions need not.
 */
@FunctionalInterface
public interface Participant {

    /** Opens a session. It is closed by Hapax, and not used again after a failure. */
    Session open() throws Exception;

    /** A database, by way of its driver: connections are made here and kept. Do not give one that joins transactions of a transaction manager. */
    static Participant of(XADataSource source) {
        return new DatabaseParticipant(source);
    }

    /** One connection to the resource. */
    interface Session extends AutoCloseable {

        /** What begins, prepares and ends the branches on this session. */
        XAResource resource();

        /** What effects work with: a {@link java.sql.Connection}, a JMS {@code XASession}. */
        Object handle();

        /** Ends it. What is prepared stays prepared. */
        @Override
        void close() throws Exception;
    }
}
