package dev.hapax.kafka;

import static dev.hapax.kafka.SourceFixture.LONG;
import static dev.hapax.kafka.SourceFixture.insert;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.consume.Consumer;
import dev.hapax.testkit.TcpProxy;
import dev.hapax.testkit.TcpProxy.Direction;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A process that is cut off from the broker but not from its database, and the reverse; another one takes its partitions over, and then it comes back. */
@Tag("slow")
class NetworkFaultCrashTest {

    private static final int RECORDS = 4_000;
    private static final int STANDS_AT = 200;

    private final TcpProxy toBroker = TcpProxy.ofBytes(1);
    private EmbeddedKafka kafka;
    private SourceFixture fixture;
    private TcpProxy toDatabase;
    private HikariDataSource cutOffPool;
    private Hapax cutOff;
    private final AtomicInteger handled = new AtomicInteger();
    private final CountDownLatch standing = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);

    @BeforeEach
    void open() {
        kafka = EmbeddedKafka.builder().behindProxy(toBroker.port()).start();
        toBroker.retarget(kafka.portBehindProxy());
        fixture = new SourceFixture(kafka);
        toDatabase = TcpProxy.to(fixture.database.server().port());
        cutOffPool = fixture.database.pooledAt(toDatabase.port(), 8);
        cutOffPool.setConnectionTimeout(1_000);
        cutOff = SourceFixture.open(cutOffPool);
    }

    @AfterEach
    void close() {
        goOn.countDown();
        toBroker.heal();
        toDatabase.heal();
        cutOff.close();
        fixture.close();
        kafka.close();
        toDatabase.close();
        toBroker.close();
    }

    /** The one that will be cut off. It stands inside a batch at some time, so that it can be cut off in the middle of its work. */
    private Consumer first() {
        return cutOff.consumer("billing")
                .from(KafkaSource.topic(fixture.topic, SourceFixture.properties("127.0.0.1:" + toBroker.port()))
                        .decode(SourceFixture::text))
                .batch(20)
                .handle(String.class, (body, tx) -> {
                    insert(tx.connection(), tx.message(), body);
                    if (handled.incrementAndGet() == STANDS_AT) {
                        standing.countDown();
                        assertThat(goOn.await(100, TimeUnit.SECONDS)).isTrue();
                    }
                })
                .start();
    }

    private Consumer second() {
        return fixture.writing("billing").batch(20).start();
    }

    private void awaitComplete() throws Exception {
        await().atMost(LONG).until(() -> fixture.distinct() == RECORDS && fixture.position("billing") == RECORDS);
        assertThat(fixture.count()).isEqualTo(RECORDS);
        assertThat(fixture.outOfOrder()).isZero();
    }

    private long owners() throws Exception {
        return fixture.database.queryLong("SELECT count(DISTINCT owner) FROM hapax.kafka_position");
    }

    @Test
    void cut_off_from_the_broker_it_commits_nothing_of_what_another_has_taken_over() throws Exception {
        fixture.sendNumbers(0, RECORDS / 2);
        try (Consumer first = first()) {
            assertThat(standing.await(60, TimeUnit.SECONDS)).isTrue();
            toBroker.stall(Direction.BOTH);
            try (Consumer second = second()) {
                // All of it, also the batch in which the first one stands.
                await().atMost(LONG).until(() -> fixture.distinct() == RECORDS / 2);
                goOn.countDown();
                fixture.sendNumbers(RECORDS / 2, RECORDS);
                await().atMost(LONG).until(() -> fixture.distinct() == RECORDS);
                assertThat(owners()).isEqualTo(1);
                toBroker.heal();
                await().atMost(LONG).until(() -> owners() == 2);
            }
            awaitComplete();
        }
    }

    @Test
    void cut_off_from_its_database_it_leaves_its_partitions_to_others_and_comes_back() throws Exception {
        fixture.sendNumbers(0, RECORDS / 2);
        try (Consumer first = first()) {
            assertThat(standing.await(60, TimeUnit.SECONDS)).isTrue();
            toDatabase.refuse();
            toDatabase.cutAll();
            goOn.countDown();
            try (Consumer second = second()) {
                await().atMost(LONG).until(() -> fixture.distinct() == RECORDS / 2);
                fixture.sendNumbers(RECORDS / 2, RECORDS);
                await().atMost(LONG).until(() -> fixture.distinct() == RECORDS);
                toDatabase.heal();
                await().atMost(LONG).until(() -> owners() == 2);
            }
            awaitComplete();
        }
    }
}
