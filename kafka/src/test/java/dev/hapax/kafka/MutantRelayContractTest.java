package dev.hapax.kafka;

import static dev.hapax.kafka.RelayFixture.LONG;
import static dev.hapax.kafka.RelayFixture.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.internal.consume.LaneMark;
import dev.hapax.kafka.KafkaRelay.State;
import dev.hapax.kafka.RelaySettings.Outputs;
import dev.hapax.log.Message;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Relays that are wrong on purpose: the scenarios must tell them from the right one. */
@Tag("slow")
class MutantRelayContractTest {

    private static final AtomicInteger PRODUCERS = new AtomicInteger();

    private RelayFixture fixture;

    @BeforeEach
    void open() {
        fixture = new RelayFixture();
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private static void broken() {
        throw new IllegalStateException("the connection broke");
    }

    /** Between what a mutant does in two steps, and after what the right one does in one, the connection breaks, once. */
    private long publishedTwiceWhenItBreaks(boolean positionOutside) {
        AtomicBoolean broke = new AtomicBoolean();
        RelaySettings settings = (RelaySettings) fixture.relay();
        Outputs real = settings.outputs;
        settings.outputs = (properties, id, records, positions) ->
                new WrappedOutput(real.transactional(properties, id, records, positions)) {
                    @Override
                    public Result publish(
                            List<Message> messages, List<LaneMark> marks, List<UUID> settled, Runnable meanwhile) {
                        List<LaneMark> together = positionOutside ? List.of() : marks;
                        Result result = real.publish(messages, together, settled, meanwhile);
                        if (!messages.isEmpty() && broke.compareAndSet(false, true)) {
                            broken();
                        }
                        if (positionOutside) {
                            real.publish(List.of(), marks, List.of(), () -> {});
                        }
                        return result;
                    }
                };
        fixture.publishNumbers(0, 100);
        fixture.start(settings);
        await().atMost(LONG).until(() -> broke.get());
        fixture.publishNumbers(100, 200);
        await().atMost(LONG).until(() -> fixture.values().stream().distinct().count() == 200);
        return twice();
    }

    private long twice() {
        var ids = fixture.records().stream().map(r -> header(r, "id")).toList();
        return ids.size() - ids.stream().distinct().count();
    }

    @Test
    void the_position_outside_the_transaction_is_found() {
        assertThat(publishedTwiceWhenItBreaks(true)).isPositive();
    }

    @Test
    void the_position_inside_it_repeats_nothing() {
        assertThat(publishedTwiceWhenItBreaks(false)).isZero();
    }

    /** The first relay is held up in front of its commit until the second has taken over and published. */
    private long publishedTwiceByAZombie(boolean fenced) throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        // Its own lease is so long that it does not look after it while it is held up.
        RelaySettings first = (RelaySettings) fixture.relay().lease(Duration.ofMinutes(1));
        Outputs real = first.outputs;
        Outputs mutant = (properties, id, records, positions) -> real.transactional(
                properties, fenced ? id : id + "-" + PRODUCERS.incrementAndGet(), records, positions);
        first.outputs = (properties, id, records, positions) ->
                new WrappedOutput(mutant.transactional(properties, id, records, positions)) {
                    @Override
                    public Result publish(
                            List<Message> messages, List<LaneMark> marks, List<UUID> settled, Runnable meanwhile) {
                        if (!messages.isEmpty()) {
                            held.countDown();
                            try {
                                goOn.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        }
                        return real.publish(messages, marks, settled, meanwhile);
                    }
                };
        fixture.publishNumbers(0, 100);
        KafkaRelay zombie = fixture.start(first);
        held.await();
        // Its lease ends without it: as if its process had been frozen, and the database had waited.
        fixture.database.execute(
                "UPDATE hapax.position SET owner = 'gone', leased_until = now() - interval '1 second' WHERE consumer = 'orders-relay'");
        try (Hapax other = Hapax.on(fixture.pool).name("shop").open()) {
            RelaySettings second = (RelaySettings) fixture.relay(other);
            second.outputs = mutant;
            KafkaRelay successor = fixture.start(second);
            await().atMost(LONG).until(() -> fixture.records().size() >= 100);
            goOn.countDown();
            await().atMost(LONG).until(() -> zombie.state() == State.STANDBY);
            assertThat(successor.state()).isEqualTo(State.RUNNING);
            successor.close();
        }
        return twice();
    }

    @Test
    void a_relay_without_fencing_is_found() throws Exception {
        assertThat(publishedTwiceByAZombie(false)).isPositive();
    }

    @Test
    void a_relay_that_was_replaced_is_fenced() throws Exception {
        assertThat(publishedTwiceByAZombie(true)).isZero();
    }
}
