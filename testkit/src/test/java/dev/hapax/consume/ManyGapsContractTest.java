package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Shop;
import dev.hapax.internal.log.Lanes;
import dev.hapax.spi.Metrics;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** More transactions are rolled back than a position has room for, while another is open for long. */
class ManyGapsContractTest {

    private static final String TOPIC = "orders.placed";
    private static final String KEY = "slow";
    private static final int MESSAGES = 2_000;
    private static final Duration LONG = Duration.ofSeconds(60);

    private final AtomicInteger stalled = new AtomicInteger();
    private Shop shop;

    @BeforeEach
    void open() {
        shop = Shop.open(builder -> builder.metrics(new Metrics() {
            @Override
            public void stalled(String consumer) {
                assertThat(consumer).isEqualTo("one");
                stalled.incrementAndGet();
            }
        }));
    }

    @AfterEach
    void close() {
        shop.close();
    }

    @Test
    @Tag("slow")
    void a_lane_does_not_wait_for_a_transaction_that_has_drawn_no_number_of_it() throws SQLException {
        try (Consumer running = consumer();
                Connection longer = shop.pool.getConnection();
                Connection elsewhere = shop.pool.getConnection();
                Statement statement = longer.createStatement()) {
            longer.setAutoCommit(false);
            statement.execute("SELECT pg_current_xact_id()");
            elsewhere.setAutoCommit(false);
            shop.hapax.once(Shop.newKey()).on(elsewhere).run(tx -> tx.publish(TOPIC, anotherLane(), "elsewhere"));
            publishEverySecondNumber();
            await().atMost(LONG).until(() -> handled() == MESSAGES);
            await().atMost(LONG).until(() -> gaps() == 0);
            // What was open all the time publishes now, and isn't taken for one of those that are over.
            shop.hapax.once(Shop.newKey()).on(longer).run(tx -> tx.publish(TOPIC, KEY, "after all"));
            publishEverySecondNumber();
            await().atMost(LONG).until(() -> handled() >= MESSAGES + 1_000);
            longer.commit();
            elsewhere.commit();
            await().atMost(LONG).until(() -> handled() == 2 * MESSAGES + 2);
            await().atMost(LONG).until(() -> running.lag().messages() <= 1);
        }
    }

    @Test
    @Tag("slow")
    void a_lane_that_stands_still_behind_a_transaction_that_has_is_told_once_and_goes_on_after_it()
            throws SQLException {
        try (Consumer running = consumer();
                Connection longer = shop.pool.getConnection()) {
            longer.setAutoCommit(false);
            shop.hapax.once(Shop.newKey()).on(longer).run(tx -> tx.publish(TOPIC, KEY, "late"));
            publishEverySecondNumber();
            await().atMost(LONG).until(() -> stalled.get() == 1);
            long before = handled();
            assertThat(before).isBetween(1_000L, MESSAGES - 1L);
            longer.commit();
            await().atMost(LONG).until(() -> handled() == MESSAGES + 1);
            assertThat(stalled.get()).isEqualTo(1);
            assertThat(running.name()).isEqualTo("one");
        }
    }

    private Consumer consumer() {
        return shop.hapax
                .consumer("one")
                .topic(TOPIC)
                .handle(
                        String.class,
                        (body, tx) -> ConsumerFixture.handled(
                                tx.connection(), tx.message().messageKey(), body))
                .start();
    }

    /** As if between any two messages a transaction had been rolled back. */
    private void publishEverySecondNumber() throws SQLException {
        String draw = "nextval('hapax.lane_" + Lanes.of(KEY) + "')";
        shop.database.execute("WITH xid AS MATERIALIZED (SELECT pg_current_xact_id())"
                + " INSERT INTO hapax.log (number, day, lane, id, topic, message_key, type, scope, producer, key, body)"
                + " SELECT " + draw + " + 0 * " + draw + ", (now() AT TIME ZONE 'UTC')::date, " + Lanes.of(KEY)
                + ", gen_random_uuid(), '" + TOPIC + "', '" + KEY
                + "', 'string', 's', 'p', i, 'x' FROM xid, generate_series(1, " + MESSAGES + ") i");
    }

    private static String anotherLane() {
        for (int i = 0; ; i++) {
            if (Lanes.of("k" + i) != Lanes.of(KEY)) {
                return "k" + i;
            }
        }
    }

    private long handled() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM handled");
    }

    private long gaps() throws SQLException {
        return shop.database.queryLong(
                "SELECT count(*) FROM hapax.position WHERE done <> '{}' AND lane = " + Lanes.of(KEY));
    }
}
