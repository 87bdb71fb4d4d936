package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Shop;
import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Where a consumer begins that starts at an instant. All messages lie in one lane. */
class StartContractTest extends ConsumerFixture {

    private static final Instant AN_HOUR_AGO = Instant.now().minus(Duration.ofHours(1));
    private static final String SLOW = "slow";
    private static final String LANE_LOW = "SELECT low FROM hapax.position WHERE lane = " + Lanes.of(SLOW);

    @Test
    void a_message_that_is_not_committed_yet_is_not_skipped_if_it_is_the_only_one() throws SQLException {
        try (Connection slow = open(SLOW)) {
            startsAnHourAgo(() -> slow.commit(), 1);
        }
        assertThat(handled(SLOW)).containsExactly("open for long");
    }

    @Test
    void a_message_that_is_not_committed_yet_is_not_skipped_for_a_later_one() throws SQLException {
        try (Connection slow = open(SLOW)) {
            publish(inTheLane(), "later");
            startsAnHourAgo(() -> slow.commit(), 2);
        }
        assertThat(handled(SLOW)).containsExactly("open for long");
        assertThat(handled(inTheLane())).containsExactly("later");
    }

    @Test
    void it_is_not_skipped_behind_messages_from_before_the_instant_either() throws SQLException {
        publish(SLOW, "before");
        shop.database.execute("UPDATE hapax.log SET published_at = published_at - interval '2 hours'");
        try (Connection slow = open(SLOW)) {
            publish(inTheLane(), "later");
            startsAnHourAgo(() -> slow.commit(), 2);
        }
        assertThat(handled(SLOW)).containsExactly("open for long");
        assertThat(shop.database.queryLong(LANE_LOW)).isEqualTo(3);
    }

    @Test
    void where_nothing_is_left_and_nobody_writes_there_is_nothing_to_wait_for() throws SQLException {
        publish(SLOW, "of a day that was dropped");
        publish(SLOW, "of a day that was dropped");
        shop.database.execute("DELETE FROM hapax.log");
        try (Connection elsewhere = open(inAnotherLane());
                Consumer running = starting()) {
            await().until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.position") == Lanes.COUNT);
            assertThat(shop.database.queryLong(LANE_LOW)).isEqualTo(2);
            elsewhere.commit();
            await().until(() -> count() == 1);
            await().until(() -> running.lag().messages() == 0);
        }
    }

    private Connection open(String messageKey) throws SQLException {
        Connection connection = shop.pool.getConnection();
        connection.setAutoCommit(false);
        shop.hapax.once(Shop.newKey()).on(connection).run(tx -> tx.publish(TOPIC, messageKey, "open for long"));
        return connection;
    }

    private interface Commit {
        void run() throws SQLException;
    }

    private Consumer starting() {
        return writing("one").startFrom(Start.at(AN_HOUR_AGO)).start();
    }

    /** What is open is committed after the consumer's positions are there. */
    private void startsAnHourAgo(Commit commit, int expected) throws SQLException {
        try (Consumer running = starting()) {
            await().until(() -> count() == expected - 1
                    && shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE owner IS NOT NULL")
                            == Lanes.COUNT);
            commit.run();
            await().until(() -> count() == expected);
            await().until(() -> running.lag().messages() == 0);
        }
    }

    private static String inTheLane() {
        return key(Lanes.of(SLOW));
    }

    private static String inAnotherLane() {
        return key((Lanes.of(SLOW) + 1) % Lanes.COUNT);
    }

    private static String key(int lane) {
        for (int i = 0; ; i++) {
            if (Lanes.of("k" + i) == lane) {
                return "k" + i;
            }
        }
    }
}
