package dev.hapax.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.Shop;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TcpProxy;
import dev.hapax.testkit.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.transaction.xa.XAException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two participants, one of them behind a network that swallows what is sent; its driver waits for an answer for ever. */
@Tag("slow")
class TwoPhaseSilenceContractTest {

    private static final Duration LONG = Duration.ofSeconds(60);

    private TestDatabase bank;
    private TestDatabase ledger;
    private TcpProxy network;
    private Shop shop;
    private final AtomicBoolean failing = new AtomicBoolean();
    private final AtomicInteger opened = new AtomicInteger();

    @BeforeEach
    void open() throws SQLException {
        bank = database();
        ledger = database();
        network = TcpProxy.to(EmbeddedDatabase.shared().port());
        Participant far = Participant.of(bank.xaDataSourceAt(network.port()));
        shop = Shop.open(builder -> builder.participant("bank", () -> {
                    opened.incrementAndGet();
                    return far.open();
                })
                .participant("ledger", new FaultyParticipant(Participant.of(ledger.xaDataSource()), () -> {
                    if (failing.getAndSet(false)) {
                        throw new XAException(XAException.XAER_RMFAIL);
                    }
                })));
    }

    private static TestDatabase database() throws SQLException {
        TestDatabase made = EmbeddedDatabase.shared().createDatabase();
        made.execute("CREATE TABLE effect (id text NOT NULL, amount int NOT NULL)");
        return made;
    }

    @AfterEach
    void close() {
        network.heal();
        shop.close();
        network.close();
        ledger.close();
        bank.close();
    }

    private Key apply(String participant) throws SQLException {
        Key key = Shop.newKey();
        shop.hapax
                .twoPhase(key)
                .with(participant)
                .run((tx, branches) -> Shop.effect(branches.connection(participant), key.id()));
        return key;
    }

    private static boolean isIn(TestDatabase database, Key key) throws SQLException {
        return database.queryLong("SELECT count(*) FROM effect WHERE id = '" + key.id() + "'") == 1;
    }

    /** Leaves a branch in the ledger to recovery. */
    private void endsInLedger() throws SQLException {
        failing.set(true);
        Key left = apply("ledger");
        await().atMost(LONG).until(() -> isIn(ledger, left));
    }

    @Test
    void a_participant_that_does_not_answer_keeps_no_other_one_from_being_recovered_and_is_asked_again()
            throws Exception {
        assertThat(isIn(bank, apply("bank"))).isTrue();
        int before = opened.get();
        network.swallow(TcpProxy.Direction.BOTH);
        CompletableFuture<Integer> asked =
                Shop.async(() -> shop.hapax.participants().recover());
        endsInLedger();
        // What waited in the open session was cut off, and so is what waits for a new one.
        await().atMost(LONG).until(() -> opened.get() >= before + 2);
        endsInLedger();
        network.heal();
        asked.get(LONG.toSeconds(), TimeUnit.SECONDS);
        await().atMost(LONG).ignoreException(RetryException.class).until(() -> isIn(bank, apply("bank")));
        assertThat(shop.hapax.participants().list()).isEmpty();
    }
}
