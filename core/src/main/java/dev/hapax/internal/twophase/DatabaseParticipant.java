package dev.hapax.internal.twophase;

import dev.hapax.twophase.Participant;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAResource;

/**
 * A database beside the home.
 *
 * @param source makes a connection each time it is asked
 */
public record DatabaseParticipant(XADataSource source) implements Participant {

    @Override
    public Session open() throws SQLException {
        XAConnection connection = source.getXAConnection();
        try {
            return new Open(connection, connection.getXAResource(), connection.getConnection());
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private record Open(XAConnection owner, XAResource resource, Connection handle) implements Session {
        @Override
        public void close() throws SQLException {
            owner.close();
        }
    }
}
