package dev.hapax.jms;

import dev.hapax.twophase.Participant;
import jakarta.jms.JMSException;
import jakarta.jms.XAConnection;
import jakarta.jms.XAConnectionFactory;
import jakarta.jms.XASession;
import javax.transaction.xa.XAResource;

/**
 * A JMS broker in two-phase commits: messages are sent or received if and only if the home transaction commits. Effects work with the {@link XASession} that
 * {@link dev.hapax.twophase.Branches#handle} gives them.
 *
 * <p>The broker must keep prepared transactions over the end of a connection and of itself, as Artemis does with its journal. Do not give a factory that joins the transactions of a transaction
 * manager, or one that is pooled.
 *
 * <p>Safe for use by many threads.
 */
public final class JmsParticipant implements Participant {

    private final XAConnectionFactory factory;

    private JmsParticipant(XAConnectionFactory factory) {
        this.factory = factory;
    }

    /** Opens a connection of its own for each session; they are kept, up to 32. */
    public static JmsParticipant of(XAConnectionFactory factory) {
        return new JmsParticipant(factory);
    }

    @Override
    public Session open() throws JMSException {
        XAConnection connection = factory.createXAConnection();
        try {
            XASession session = connection.createXASession();
            // Without that an effect would wait for messages for ever.
            connection.start();
            return new Open(connection, session, session.getXAResource());
        } catch (JMSException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private record Open(XAConnection owner, XASession handle, XAResource resource) implements Session {
        @Override
        public void close() throws JMSException {
            owner.close();
        }
    }
}
