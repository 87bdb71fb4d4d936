package dev.hapax.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Shop;
import dev.hapax.consume.Consumer;
import dev.hapax.testkit.ChildJvm;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A process with a heap that is smaller than what waits for it. */
@Tag("slow")
class LargeMessagesContractTest {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int MESSAGES = 150;
    private static final int BYTES = 1 << 20;

    /** What a consumer says whose memory was not enough: the driver tells it as trouble of the connection. */
    private static final String TROUBLE = "can't work";

    private Shop shop;

    @BeforeEach
    void open() {
        shop = Shop.open();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private void publish() {
        for (int i = 0; i < MESSAGES; i++) {
            shop.hapax.once(Shop.newKey()).run(tx -> tx.publish("blobs", "one lane", new byte[BYTES]));
        }
    }

    private void readInASmallHeap() throws SQLException {
        try (ChildJvm child = ChildJvm.of(Worker.class)
                .arguments(shop.database.jdbcUrl(), "read")
                .heap(64)
                .start()) {
            await().atMost(LONG).until(() -> read() >= MESSAGES || !child.isAlive() || hasTrouble(child));
            assertThat(child.lines()).noneMatch(line -> line.contains(TROUBLE));
        }
        assertThat(read()).isEqualTo(MESSAGES);
    }

    @Test
    void many_large_messages_are_read_in_a_small_heap() throws SQLException {
        publish();
        readInASmallHeap();
    }

    @Test
    void many_large_messages_that_are_held_and_due_at_once_are_read_in_a_small_heap() throws SQLException {
        publish();
        try (Consumer failing = shop.hapax
                .consumer("reader")
                .topic("blobs")
                .continuePastFailures()
                .backoff(Duration.ofMinutes(5), Duration.ofMinutes(5))
                .handle(byte[].class, (body, tx) -> {
                    throw new IllegalStateException("not yet");
                })
                .start()) {
            await().atMost(LONG).until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.held") == MESSAGES);
        }
        shop.database.execute("UPDATE hapax.held SET next_at = now()");
        readInASmallHeap();
    }

    private static boolean hasTrouble(ChildJvm child) {
        return child.lines().stream().anyMatch(line -> line.contains(TROUBLE));
    }

    private long read() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM effect WHERE id LIKE 'read-" + BYTES + "-%'");
    }
}
