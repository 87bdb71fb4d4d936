package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.HapaxBuilder;
import dev.hapax.Shop;
import dev.hapax.spi.Codec;
import dev.hapax.spi.Encoded;
import dev.hapax.spi.Metrics;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What goes wrong outside a handler, or with the thread that runs it. */
@Tag("slow")
class WorkerErrorsContractTest extends ConsumerFixture {

    private static final Duration LEASE = Duration.ofSeconds(1);

    private Hapax service(UnaryOperator<HapaxBuilder> settings) {
        return settings.apply(Shop.builder(shop.pool)).open();
    }

    private ConsumerBuilder consumer(Hapax service, Handler<String> handler) {
        return service.consumer("one")
                .topic(TOPIC)
                .backoff(Duration.ofMillis(20), Duration.ofMillis(100))
                .lease(LEASE)
                .handle(String.class, handler);
    }

    private static void write(String body, MessageTransaction tx) throws SQLException {
        handled(tx.connection(), tx.message().messageKey(), body);
    }

    private void publishToManyLanes(String body) throws SQLException {
        for (int i = 0; i < 40; i++) {
            publish("k" + i, body);
        }
    }

    /** Decodes as the shop does, but for what fails at its first time. */
    private record Failing(AtomicBoolean failed) implements Codec {

        @Override
        public Encoded encode(Object value) {
            return Shop.CODEC.encode(value);
        }

        @Override
        public <T> T decode(String type, byte[] body, Class<T> wanted) {
            T value = Shop.CODEC.decode(type, body, wanted);
            if (value.equals("broken") && failed.compareAndSet(false, true)) {
                throw new NoClassDefFoundError("Body");
            }
            return value;
        }

        @Override
        public byte[] canonical(Object request) {
            return Shop.CODEC.canonical(request);
        }
    }

    @Test
    void a_message_whose_class_cannot_be_loaded_is_tried_again_and_others_go_on() throws SQLException {
        AtomicBoolean failed = new AtomicBoolean();
        try (Hapax service = service(builder -> builder.codec(new Failing(failed)));
                Consumer running =
                        consumer(service, WorkerErrorsContractTest::write).start()) {
            publish("a", "broken");
            publishToManyLanes("fine");
            await().until(() -> count() == 41);
            publish("a", "after");
            await().until(() -> count() == 42);
        }
        assertThat(failed).isTrue();
        assertThat(handled("a")).containsExactly("broken", "after");
    }

    @Test
    void an_error_of_what_counts_ends_no_worker() throws SQLException {
        AtomicInteger errors = new AtomicInteger();
        Metrics failing = new Metrics() {
            @Override
            public void batch(String consumer, int messages, long nanos) {
                if (errors.getAndIncrement() < 2) {
                    throw new NoClassDefFoundError("Gauge");
                }
            }
        };
        try (Hapax service = service(builder -> builder.metrics(failing));
                Consumer running =
                        consumer(service, WorkerErrorsContractTest::write).start()) {
            publishToManyLanes("1");
            await().until(() -> count() == 40);
            publishToManyLanes("2");
            await().until(() -> count() == 80);
        }
        assertThat(errors.get()).isGreaterThan(2);
        assertThat(handled("k0")).containsExactly("1", "2");
    }

    @Test
    void a_handler_that_interrupts_its_thread_ends_no_worker() throws SQLException {
        AtomicBoolean thrown = new AtomicBoolean();
        try (Hapax service = service(builder -> builder);
                Consumer running = consumer(service, (body, tx) -> {
                            write(body, tx);
                            Thread.currentThread().interrupt();
                            if (body.equals("thrown") && thrown.compareAndSet(false, true)) {
                                throw new InterruptedException("a task of the handler's own");
                            }
                        })
                        .concurrency(1)
                        .start()) {
            publish("a", "thrown");
            await().until(() -> count() == 1);
            publishToManyLanes("2");
            await().until(() -> count() == 41);
        }
        assertThat(thrown).isTrue();
    }

    /** Telling of it fails too, as where no memory is left: such a thread can't be kept alive. */
    private static final class Untold extends SQLException {

        private static final long serialVersionUID = 1L;

        Untold() {
            super("gone", "08006");
        }

        @Override
        public String toString() {
            throw new NoClassDefFoundError("Text");
        }
    }

    /** The thread's own error is no failure of the test. */
    private static ConditionFactory awaitAll() {
        return await().dontCatchUncaughtExceptions();
    }

    @Test
    void lanes_of_a_thread_that_has_ended_go_to_those_that_live() throws SQLException {
        Set<String> ended = ConcurrentHashMap.newKeySet();
        try (Hapax service = service(builder -> builder);
                Hapax other = service(builder -> builder)) {
            try (Consumer running = consumer(service, (body, tx) -> {
                        write(body, tx);
                        if (body.startsWith("ends") && ended.add(body)) {
                            throw new Untold();
                        }
                    })
                    .concurrency(2)
                    .start()) {
                publish("a", "ends");
                awaitAll().until(() -> count() == 1);
                publishToManyLanes("2");
                awaitAll().until(() -> count() == 41);
                // Now the other thread ends too, and this process leaves all to others.
                publish("a", "ends again");
                awaitAll().until(() -> ended.size() == 2);
                try (Consumer second =
                        consumer(other, WorkerErrorsContractTest::write).start()) {
                    publishToManyLanes("3");
                    awaitAll().until(() -> count() == 82);
                }
            }
        }
        assertThat(handled("a")).containsExactly("ends", "ends again");
    }
}
