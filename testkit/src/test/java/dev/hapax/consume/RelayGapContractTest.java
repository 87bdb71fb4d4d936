package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Shop;
import dev.hapax.internal.consume.LogFeed;
import dev.hapax.internal.log.Lanes;
import dev.hapax.log.Message;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a relay reads past what is not committed yet. Unlike a consumer it commits nothing between a look and the bound of the gaps that it has found. */
class RelayGapContractTest extends ConsumerFixture {

    private static final String NEWER = "slow";

    /** The snapshot's xmax is the last transaction that has ended, plus one: the writer of the gap may have a greater xid, while one with a smaller xid drew a greater number. */
    @Test
    void a_gap_is_kept_whose_transaction_began_after_that_of_the_message_above_it() throws Exception {
        try (LogFeed feed = LogFeed.of(consumer("relay").handle(String.class, (body, tx) -> {}), true);
                Connection older = shop.pool.getConnection();
                Connection newer = shop.pool.getConnection()) {
            feed.keepLease();
            feed.readFrom(feed.owned());
            // The day's partitions are there: what creates them would end between the two.
            publish(NEWER, "first");
            assertThat(read(feed)).containsExactly(NEWER);
            older.setAutoCommit(false);
            try (Statement statement = older.createStatement()) {
                statement.execute("SELECT pg_current_xact_id()");
            }
            newer.setAutoCommit(false);
            shop.hapax.once(Shop.newKey()).on(newer).run(tx -> tx.publish(TOPIC, NEWER, "below"));
            shop.hapax.once(Shop.newKey()).on(older).run(tx -> tx.publish(TOPIC, inTheLane(), "above"));
            older.commit();
            assertThat(read(feed)).containsExactly(inTheLane());
            // The gap has a bound now: this look would give it up.
            assertThat(read(feed)).isEmpty();
            newer.commit();
            assertThat(read(feed)).containsExactly(NEWER);
            assertThat(read(feed)).isEmpty();
        }
    }

    private static List<String> read(LogFeed feed) throws SQLException {
        return feed.read(100).messages().stream().map(Message::messageKey).toList();
    }

    private static String inTheLane() {
        for (int i = 0; ; i++) {
            if (Lanes.of("k" + i) == Lanes.of(NEWER)) {
                return "k" + i;
            }
        }
    }
}
