package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.internal.consume.SteppedConsumer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One process: a lease keeper and its workers, one step at a time. Steps of others fall into the middle of a worker's transaction, from inside its handler, and another process takes lanes
 * away and gives them back. A worker that is told to leave a lane which it has just found lost must not say twice that it let go of it: the second time, another has it.
 */
@Tag("slow")
class LaneHandoverRaceTest extends ConsumerFixture {

    private static final int WORKERS = 3;
    private static final int STEPS = 60;

    @FunctionalInterface
    private interface Disturbance {
        void happen() throws SQLException;
    }

    private SteppedConsumer consumer;
    private Disturbance disturbance;
    private int published;

    @BeforeEach
    void start() throws SQLException {
        disturbance = () -> {};
        consumer = SteppedConsumer.of(
                consumer("one").lease(Duration.ofMillis(500)).handle(String.class, (body, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), body);
                    disturbance.happen();
                }),
                WORKERS);
        consumer.keepLeases();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void each_message_is_handled_once_and_the_lanes_come_to_rest_in_the_order_of_a_seed(long seed) throws SQLException {
        Random random = new Random(seed);
        disturbance = () -> {
            switch (random.nextInt(6)) {
                case 0 -> steal(random.nextInt(16));
                case 1, 2 -> consumer.keepLeases();
                case 3 -> giveBack();
                default -> {
                    // Nothing happens.
                }
            }
        };
        for (int i = 0; i < STEPS; i++) {
            for (int message = 0; message < 3; message++) {
                publish("key-" + random.nextInt(40), "message-" + published++);
            }
            disturbance.happen();
            consumer.work(random.nextInt(WORKERS));
        }
        allComesToRest();
    }

    private void steal(int lane) throws SQLException {
        shop.database.execute(
                "UPDATE hapax.position SET token = token + 1, owner = 'thief', leased_until = now() + interval '1 hour'"
                        + " WHERE lane = (SELECT lane FROM hapax.position WHERE lane = " + lane
                        + " FOR UPDATE SKIP LOCKED)");
    }

    private void giveBack() throws SQLException {
        shop.database.execute(
                "UPDATE hapax.position SET owner = NULL, leased_until = '-infinity' WHERE owner = 'thief'");
    }

    /** Once nobody steals any more, each lane soon has one owner, whose token stays, and all is handled. */
    private void allComesToRest() throws SQLException {
        disturbance = () -> {};
        giveBack();
        await().pollInSameThread().until(() -> {
            round();
            return lanes() == 16 && count() == published;
        });
        // For what was said before that and was not heard yet.
        round();
        long tokens = tokens();
        for (int i = 0; i < 4; i++) {
            publish("key-" + i, "message-" + published++);
            round();
        }
        assertThat(tokens()).as("tokens, which grow when a lane changes hands").isEqualTo(tokens);
        assertThat(lanes()).isEqualTo(16);
        consumer.stop();
        assertThat(count()).isEqualTo(published);
        assertThat(shop.database.queryLong("SELECT count(DISTINCT body) FROM handled"))
                .isEqualTo(published);
    }

    private void round() throws SQLException {
        consumer.keepLeases();
        consumer.work();
    }

    private long lanes() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE owner <> 'thief'");
    }

    private long tokens() throws SQLException {
        return shop.database.queryLong("SELECT sum(token) FROM hapax.position");
    }
}
