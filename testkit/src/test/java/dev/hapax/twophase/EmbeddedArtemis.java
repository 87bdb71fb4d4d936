package dev.hapax.twophase;

import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageProducer;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import jakarta.jms.XAConnection;
import jakarta.jms.XAConnectionFactory;
import jakarta.jms.XASession;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.apache.activemq.artemis.jms.client.ActiveMQXAConnectionFactory;

/** An Artemis broker in this JVM, with its journal on disk; it can be stopped and started again. Safe for use by many threads. */
final class EmbeddedArtemis implements AutoCloseable {

    private final int number;
    private final Path directory;
    private EmbeddedActiveMQ server;

    private EmbeddedArtemis(int number, Path directory) throws Exception {
        this.number = number;
        this.directory = directory;
        this.server = start(number, directory);
    }

    /** @param number tells brokers of one JVM apart */
    static EmbeddedArtemis open(int number) throws Exception {
        return new EmbeddedArtemis(number, Files.createTempDirectory("hapax-artemis"));
    }

    private static EmbeddedActiveMQ start(int number, Path directory) throws Exception {
        ConfigurationImpl configuration = new ConfigurationImpl();
        configuration.setPersistenceEnabled(true);
        configuration.setSecurityEnabled(false);
        configuration.setJMXManagementEnabled(false);
        configuration.setJournalType(JournalType.NIO);
        configuration.setJournalDirectory(directory.resolve("journal").toString());
        configuration.setBindingsDirectory(directory.resolve("bindings").toString());
        configuration.setLargeMessagesDirectory(directory.resolve("large").toString());
        configuration.setPagingDirectory(directory.resolve("paging").toString());
        configuration.addAcceptorConfiguration("in-vm", "vm://" + number);
        // A queue without readers and messages is deleted by default, though a prepared branch may hold a message for
        // it.
        configuration.addAddressSetting(
                "#", new AddressSettings().setAutoDeleteQueues(false).setAutoDeleteAddresses(false));
        EmbeddedActiveMQ server = new EmbeddedActiveMQ();
        server.setConfiguration(configuration);
        server.start();
        return server;
    }

    /** Stops it and starts it anew on what its journal holds. */
    void restart() throws Exception {
        server.stop();
        server = start(number, directory);
    }

    XAConnectionFactory factory() {
        return new ActiveMQXAConnectionFactory("vm://" + number);
    }

    static void send(XASession session, String queue, String text) throws JMSException {
        try (MessageProducer producer = session.createProducer(session.createQueue(queue))) {
            producer.send(session.createTextMessage(text));
        }
    }

    /** The messages that lie in a queue, committed. */
    List<String> messages(String queue) throws JMSException {
        try (ActiveMQXAConnectionFactory plain = new ActiveMQXAConnectionFactory("vm://" + number);
                var connection = plain.createConnection();
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE)) {
            connection.start();
            List<String> texts = new ArrayList<>();
            try (QueueBrowser browser = session.createBrowser(session.createQueue(queue))) {
                for (Object message : Collections.list(browser.getEnumeration())) {
                    texts.add(((TextMessage) message).getText());
                }
            }
            return texts;
        }
    }

    void purge(String queue) throws JMSException {
        try (ActiveMQXAConnectionFactory plain = new ActiveMQXAConnectionFactory("vm://" + number);
                var connection = plain.createConnection();
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                var consumer = session.createConsumer(session.createQueue(queue))) {
            connection.start();
            Message message;
            do {
                message = consumer.receiveNoWait();
            } while (message != null);
        }
    }

    /** The prepared transactions of a home. */
    List<Xid> prepared(UUID home) throws JMSException, XAException {
        try (XAConnection connection = factory().createXAConnection();
                XASession session = connection.createXASession()) {
            XAResource resource = session.getXAResource();
            return Stream.of(resource.recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN))
                    .filter(xid -> isOf(xid, home))
                    .toList();
        }
    }

    /** The home's id follows a byte that tells the version of the name. */
    private static boolean isOf(Xid xid, UUID home) {
        ByteBuffer name = ByteBuffer.wrap(xid.getGlobalTransactionId());
        return name.remaining() > 17 && new UUID(name.getLong(1), name.getLong(9)).equals(home);
    }

    void rollBackPrepared(UUID home) throws JMSException, XAException {
        try (XAConnection connection = factory().createXAConnection();
                XASession session = connection.createXASession()) {
            for (Xid xid : prepared(home)) {
                session.getXAResource().rollback(xid);
            }
        }
    }

    @Override
    public void close() throws Exception {
        server.stop();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
