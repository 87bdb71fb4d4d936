package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.jms.JmsParticipant;
import dev.hapax.once.Verdict;
import jakarta.jms.MessageProducer;
import jakarta.jms.XAConnectionFactory;
import jakarta.jms.XASession;
import java.nio.file.Path;
import javax.sql.DataSource;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.jms.client.ActiveMQXAConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TwoPhaseJmsDoc {

    private static final String BROKER = "vm://73";

    @TempDir
    Path folder;

    private final Orders orders = new Orders();
    private ShopDatabase shop;
    private EmbeddedActiveMQ broker;
    private Hapax hapax;

    @BeforeEach
    void start() throws Exception {
        ConfigurationImpl configuration = new ConfigurationImpl();
        configuration.setSecurityEnabled(false);
        configuration.setJMXManagementEnabled(false);
        configuration.setJournalType(JournalType.NIO);
        configuration.setBrokerInstance(folder.toFile());
        configuration.addAcceptorConfiguration("in-vm", BROKER);
        broker = new EmbeddedActiveMQ();
        broker.setConfiguration(configuration);
        broker.start();
        shop = ShopDatabase.create();
        hapax = open(shop.pool, new ActiveMQXAConnectionFactory(BROKER));
    }

    @AfterEach
    void close() throws Exception {
        hapax.close();
        shop.close();
        broker.stop();
    }

    // tag::send[]
    Hapax open(DataSource home, XAConnectionFactory factory) {
        return Hapax.on(home)
                .name("shop")
                .participant("broker", JmsParticipant.of(factory))
                .open();
    }

    Verdict place(Order order) throws Exception {
        return hapax.twoPhase(Key.of("orders.place", order.id())).with("broker").run((tx, branches) -> {
            orders.insert(tx.connection(), order);
            XASession session = branches.handle("broker", XASession.class);
            try (MessageProducer producer = session.createProducer(session.createQueue("orders"))) {
                producer.send(session.createTextMessage(order.id()));
            }
        });
    }
    // end::send[]

    private long messages() {
        return broker.getActiveMQServer().locateQueue("orders").getMessageCount();
    }

    @Test
    void an_order_and_its_message_are_there_once() throws Exception {
        Order order = ShopDatabase.newOrder("ann");
        assertThat(place(order)).isEqualTo(Verdict.APPLIED);
        assertThat(place(order)).isEqualTo(Verdict.REPLAYED);
        assertThat(shop.orders()).isEqualTo(1);
        assertThat(messages()).isEqualTo(1);
    }
}
