package dev.hapax.internal.consume;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Where the positions of a reader lie, and how a transaction moves them. */
interface Progress {

    /** What one transaction gets done. */
    interface Moves {

        /** Notes that a message is done. */
        void done(Share share, ReadMessage message);

        /** Notes that the share must still be ours, though its position stays. */
        void keep(Share share);

        /**
         * Writes the new positions, with the tokens, and locks their rows until the transaction ends.
         *
         * @return false if a share is no longer ours, or not where we left it; the transaction must be rolled back then
         */
        boolean write(Connection connection) throws SQLException;

        /** The transaction was committed. */
        void committed();
    }

    Moves begin();

    /** The share that a message belongs to; null if it is no longer ours. */
    @Nullable
    Share shareOf(ReadMessage message);

    /** Reads a body that was too large to come along. */
    byte[] body(Connection connection, ReadMessage message) throws SQLException;
}
