package dev.hapax.kafka;

import static dev.hapax.kafka.SourceFixture.LONG;
import static dev.hapax.kafka.SourceFixture.insert;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.consume.Consumer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A second process comes, and partitions are moved to it, while each of them has a batch in flight. */
@Tag("slow")
class KafkaRebalanceCrashTest {

    private SourceFixture fixture;
    private Hapax other;
    private final AtomicInteger inside = new AtomicInteger();
    private final AtomicInteger calls = new AtomicInteger();
    private final CountDownLatch goOn = new CountDownLatch(1);

    @BeforeEach
    void open() {
        fixture = new SourceFixture();
        other = SourceFixture.open(fixture.pool);
        for (int partition = 0; partition < SourceFixture.PARTITIONS; partition++) {
            fixture.send(partition, "key-" + partition, "m" + partition);
        }
        fixture.producer.flush();
    }

    @AfterEach
    void close() {
        goOn.countDown();
        other.close();
        fixture.close();
    }

    /** Stands in its first record of each partition, with its effect written, until it may go on. */
    private Consumer standing(Duration handOver) {
        return fixture.consumer("shared")
                .concurrency(SourceFixture.PARTITIONS)
                .lease(handOver)
                .handle(String.class, (body, tx) -> {
                    calls.incrementAndGet();
                    insert(tx.connection(), tx.message(), body);
                    inside.incrementAndGet();
                    assertThat(goOn.await(100, TimeUnit.SECONDS)).isTrue();
                })
                .start();
    }

    private Consumer coming() {
        return other.consumer("shared")
                .from(fixture.source())
                .handle(String.class, (body, tx) -> {
                    calls.incrementAndGet();
                    insert(tx.connection(), tx.message(), body);
                })
                .start();
    }

    private static boolean isGivingBack() {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(thread -> thread.getKey().getName().equals("hapax-shared-poll"))
                .anyMatch(thread -> Arrays.stream(thread.getValue())
                        .anyMatch(frame -> frame.getMethodName().equals("onPartitionsRevoked")));
    }

    private long owners() throws Exception {
        return fixture.database.queryLong("SELECT count(DISTINCT owner) FROM hapax.kafka_position");
    }

    private void assertOnce() throws Exception {
        assertThat(fixture.count()).isEqualTo(SourceFixture.PARTITIONS);
        assertThat(fixture.distinct()).isEqualTo(SourceFixture.PARTITIONS);
    }

    @Test
    void a_batch_that_ends_in_time_is_committed_before_its_partition_goes() throws Exception {
        try (Consumer one = standing(Duration.ofMinutes(1))) {
            await().atMost(LONG).until(() -> inside.get() == SourceFixture.PARTITIONS);
            try (Consumer two = coming()) {
                await().atMost(LONG).until(KafkaRebalanceCrashTest::isGivingBack);
                assertThat(owners()).as("nothing is taken before it is given").isEqualTo(1);
                goOn.countDown();
                await().atMost(LONG).until(() -> owners() == 2);
                await().atMost(LONG).until(() -> fixture.position("shared") == SourceFixture.PARTITIONS);
            }
        }
        assertOnce();
        assertThat(calls.get()).as("handler's calls: nothing was rolled back").isEqualTo(SourceFixture.PARTITIONS);
    }

    @Test
    void a_batch_that_takes_too_long_is_rolled_back_and_done_by_the_process_that_came() throws Exception {
        try (Consumer one = standing(Duration.ofMillis(500))) {
            await().atMost(LONG).until(() -> inside.get() == SourceFixture.PARTITIONS);
            try (Consumer two = coming()) {
                // What was moved is done by the second while the first is still inside its batches.
                await().atMost(LONG).until(() -> fixture.count() == SourceFixture.PARTITIONS / 2);
                goOn.countDown();
                await().atMost(LONG).until(() -> fixture.position("shared") == SourceFixture.PARTITIONS);
            }
        }
        assertOnce();
        assertThat(calls.get()).as("handler's calls: what was moved ran twice").isGreaterThan(SourceFixture.PARTITIONS);
    }
}
