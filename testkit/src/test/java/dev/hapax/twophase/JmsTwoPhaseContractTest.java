package dev.hapax.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.jms.JmsParticipant;
import dev.hapax.once.Verdict;
import jakarta.jms.Connection;
import jakarta.jms.TextMessage;
import jakarta.jms.XASession;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import javax.transaction.xa.XAException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** PostgreSQL and a real broker; rows, messages and prepared transactions are counted. */
@Tag("slow")
class JmsTwoPhaseContractTest {

    private static final String BROKER = "broker";
    private static final int NUMBER = 71;

    private static EmbeddedArtemis broker;

    private Shop shop;
    private UUID home;
    private String queue;

    /** What the broker is told at a moment of the test's choice. */
    private final AtomicReference<FaultyParticipant.Fault> onCommit = new AtomicReference<>(() -> {});

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedArtemis.open(NUMBER);
    }

    @AfterAll
    static void stop() throws Exception {
        broker.close();
    }

    @BeforeEach
    void open() throws Exception {
        queue = "orders-" + Shop.newId();
        shop = Shop.open(builder -> builder.housekeeping(false)
                .participant(
                        BROKER,
                        new FaultyParticipant(
                                JmsParticipant.of(broker.factory()),
                                () -> onCommit.get().strike())));
        try (var connection = shop.database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT id FROM hapax.home")) {
            row.next();
            home = row.getObject(1, UUID.class);
        }
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private Verdict send(Key key) throws Exception {
        return shop.hapax.twoPhase(key).with(BROKER).run((tx, branches) -> {
            Shop.effect(tx.connection(), key.id());
            EmbeddedArtemis.send(branches.handle(BROKER, XASession.class), queue, key.id());
        });
    }

    @Test
    void the_row_and_the_message_are_there_once_and_a_repeat_changes_nothing() throws Exception {
        Key key = Shop.newKey();
        assertThat(send(key)).isEqualTo(Verdict.APPLIED);
        assertThat(send(key)).isEqualTo(Verdict.REPLAYED);
        assertThat(shop.effects(key)).isEqualTo(1);
        assertThat(broker.messages(queue)).containsExactly(key.id());
        assertThat(broker.prepared(home)).isEmpty();
    }

    @Test
    void an_effect_that_throws_sends_nothing() throws Exception {
        Key key = Shop.newKey();
        assertThatThrownBy(() -> shop.hapax.twoPhase(key).with(BROKER).run((tx, branches) -> {
                    EmbeddedArtemis.send(branches.handle(BROKER, XASession.class), queue, key.id());
                    throw new IllegalArgumentException("no stock");
                }))
                .hasMessage("no stock");
        assertThat(broker.messages(queue)).isEmpty();
        assertThat(send(key)).isEqualTo(Verdict.APPLIED);
        assertThat(broker.messages(queue)).containsExactly(key.id());
    }

    @Test
    void a_message_is_taken_and_its_row_written_or_neither() throws Exception {
        Key sent = Shop.newKey();
        send(sent);
        for (boolean fails : new boolean[] {true, false}) {
            Key key = Shop.newKey();
            try {
                shop.hapax.twoPhase(key).with(BROKER).run((tx, branches) -> {
                    XASession session = branches.handle(BROKER, XASession.class);
                    try (var consumer = session.createConsumer(session.createQueue(queue))) {
                        TextMessage message = (TextMessage) consumer.receive(10_000);
                        Shop.effect(tx.connection(), "received " + message.getText());
                    }
                    if (fails) {
                        throw new IllegalArgumentException("not now");
                    }
                });
            } catch (IllegalArgumentException e) {
                assertThat(e).hasMessage("not now");
            }
            assertThat(shop.effects("received " + sent.id())).isEqualTo(fails ? 0 : 1);
            assertThat(broker.messages(queue)).hasSize(fails ? 1 : 0);
        }
    }

    @Test
    void a_message_that_was_prepared_is_sent_by_recovery_after_the_broker_has_started_anew() throws Exception {
        onCommit.set(() -> {
            throw new XAException(XAException.XAER_RMFAIL);
        });
        Key key = Shop.newKey();
        assertThat(send(key)).isEqualTo(Verdict.APPLIED);
        assertThat(broker.messages(queue)).isEmpty();
        assertThat(broker.prepared(home)).hasSize(1);
        assertThat(shop.hapax.participants().list())
                .singleElement()
                .satisfies(branch -> assertThat(branch.state()).isEqualTo(Participants.State.COMMITTING));
        broker.restart();
        onCommit.set(() -> {});
        assertThat(broker.prepared(home)).hasSize(1);
        // The session that was kept is as stale as the broker's start; the next look has a new one.
        await().until(() -> shop.hapax.participants().recover() == 1);
        assertThat(broker.messages(queue)).containsExactly(key.id());
        assertThat(broker.prepared(home)).isEmpty();
        assertThat(shop.hapax.participants().list()).isEmpty();
    }

    @Test
    void a_home_commit_that_fails_takes_the_message_back() throws Exception {
        shop.database.execute("CREATE TABLE parent (id text PRIMARY KEY);"
                + "CREATE TABLE child (parent text REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
        Key key = Shop.newKey();
        assertThatThrownBy(() -> shop.hapax.twoPhase(key).with(BROKER).run((tx, branches) -> {
                    EmbeddedArtemis.send(branches.handle(BROKER, XASession.class), queue, key.id());
                    try (Statement insert = tx.connection().createStatement()) {
                        insert.execute("INSERT INTO child VALUES ('nobody')");
                    }
                }))
                .isInstanceOf(dev.hapax.StoreException.class);
        assertThat(broker.prepared(home)).isEmpty();
        assertThat(broker.messages(queue)).isEmpty();
    }

    @Test
    void ending_the_session_by_hand_changes_nothing_of_the_decision() throws Exception {
        Key key = Shop.newKey();
        assertThatThrownBy(() -> shop.hapax.twoPhase(key).with(BROKER).run((tx, branches) -> {
                    EmbeddedArtemis.send(branches.handle(BROKER, XASession.class), queue, key.id());
                    branches.handle(BROKER, XASession.class).getSession().commit();
                }))
                .isInstanceOf(jakarta.jms.JMSException.class);
        assertThat(broker.messages(queue)).isEmpty();
        assertThatThrownBy(() -> shop.hapax
                        .twoPhase(key)
                        .with(BROKER)
                        .run((tx, branches) -> branches.handle(BROKER, Connection.class)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
