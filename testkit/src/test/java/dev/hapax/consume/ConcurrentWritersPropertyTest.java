package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Shop;
import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Writers at once, of which some commit late, some are rolled back, and some have nothing to do with the log but stay open, against the consumers as they are. The model is a counter for each
 * message key, which the writer's transaction moves on: what it says in the end is what must have been handled, by each consumer, once and in its order.
 */
@Tag("slow")
class ConcurrentWritersPropertyTest {

    private static final String TOPIC = "counted";
    private static final int WRITERS = 6;
    private static final int OPERATIONS = 60;
    private static final int LANES = 3;
    private static final int SHARED_KEYS = 6;
    private static final Duration LONG = Duration.ofSeconds(60);

    /** Operations that have ended, of all writers: what is held open is held until others have done something. */
    private final AtomicInteger ended = new AtomicInteger();

    private final AtomicInteger holding = new AtomicInteger();
    private final AtomicInteger alive = new AtomicInteger(WRITERS);

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void what_was_committed_is_handled_once_and_in_the_order_of_its_key(long seed) throws Exception {
        try (Shop shop = Shop.open()) {
            shop.database.execute("CREATE TABLE counter (key text PRIMARY KEY, n bigint NOT NULL DEFAULT 0)");
            for (String key : keys()) {
                shop.database.execute("INSERT INTO counter (key) VALUES ('" + key + "')");
            }
            Instant before = Instant.now().minus(Duration.ofHours(1));
            try (Hapax readers = Shop.builder(shop.database.pooled(10)).open();
                    Connection unrelated = shop.database.dataSource().getConnection()) {
                Consumer first = reader(readers, "first", Start.BEGINNING);
                List<Future<?>> writers = new ArrayList<>();
                for (int i = 0; i < WRITERS; i++) {
                    Random random = new Random(seed * WRITERS + i);
                    int writer = i;
                    writers.add(Shop.async(() -> write(shop, writer, random)));
                }
                // Two that have nothing to do with the log, each open for a third of the run.
                for (int third = 1; third <= 2; third++) {
                    int from = third * WRITERS * OPERATIONS / 4;
                    await().atMost(LONG).until(() -> ended.get() >= from);
                    unrelated.setAutoCommit(false);
                    try (Statement statement = unrelated.createStatement()) {
                        statement.execute("SELECT pg_current_xact_id()");
                    }
                    if (third == 1) {
                        reader(readers, "later", Start.at(before));
                    }
                    await().atMost(LONG).until(() -> ended.get() >= from + WRITERS * OPERATIONS / 5);
                    unrelated.rollback();
                }
                for (Future<?> writer : writers) {
                    writer.get(60, TimeUnit.SECONDS);
                }
                check(shop, seed);
                assertThat(first.name()).isEqualTo("first");
            }
        }
    }

    private static Consumer reader(Hapax hapax, String name, Start start) {
        return hapax.consumer(name)
                .topic(TOPIC)
                .startFrom(start)
                .handle(
                        String.class,
                        (body, tx) -> ConsumerFixture.handled(
                                tx.connection(), name + "/" + tx.message().messageKey(), body))
                .start();
    }

    /** Keys that all writers use, and one for each that holds its transactions open, in few lanes. */
    private static List<String> keys() {
        List<String> keys = new ArrayList<>();
        for (int i = 0; keys.size() < SHARED_KEYS + WRITERS; i++) {
            if (Lanes.of("k" + i) < LANES) {
                keys.add("k" + i);
            }
        }
        return keys;
    }

    private boolean write(Shop shop, int writer, Random random) throws SQLException {
        List<String> keys = keys();
        try {
            for (int i = 0; i < OPERATIONS; i++) {
                int kind = random.nextInt(10);
                // Locked in one order, so that none waits for one that waits for it.
                TreeSet<String> mine = new TreeSet<>();
                for (int n = random.nextInt(3); n >= 0; n--) {
                    mine.add(keys.get(random.nextInt(SHARED_KEYS)));
                }
                if (kind < 6) {
                    shop.hapax.once(Shop.newKey()).run(tx -> publishAll(tx, mine));
                } else if (kind < 8) {
                    joined(shop, mine, false, 0);
                } else {
                    joined(shop, List.of(keys.get(SHARED_KEYS + writer)), kind == 8, 1 + random.nextInt(40));
                }
                ended.incrementAndGet();
            }
        } finally {
            alive.decrementAndGet();
        }
        return true;
    }

    /** As part of a transaction of the caller's, which goes on for a while after it. */
    private void joined(Shop shop, Iterable<String> keys, boolean commits, int operations) throws SQLException {
        try (Connection connection = shop.database.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            shop.hapax.once(Shop.newKey()).on(connection).run(tx -> publishAll(tx, keys));
            if (operations > 0) {
                int until = ended.get() + operations;
                holding.incrementAndGet();
                await().atMost(LONG)
                        .pollInterval(Duration.ofMillis(2))
                        .until(() -> ended.get() >= until || holding.get() >= alive.get());
                holding.decrementAndGet();
            }
            if (commits) {
                connection.commit();
            } else {
                connection.rollback();
            }
        }
    }

    private static void publishAll(dev.hapax.Transaction tx, Iterable<String> keys) throws SQLException {
        try (PreparedStatement count =
                tx.connection().prepareStatement("UPDATE counter SET n = n + 1 WHERE key = ? RETURNING n")) {
            for (String key : keys) {
                count.setString(1, key);
                try (ResultSet row = count.executeQuery()) {
                    row.next();
                    tx.publish(TOPIC, key, Long.toString(row.getLong(1)));
                }
            }
        }
    }

    private static void check(Shop shop, long seed) throws SQLException {
        long published = shop.database.queryLong("SELECT sum(n)::bigint FROM counter");
        assertThat(published).as("seed %d", seed).isGreaterThan(OPERATIONS);
        for (String consumer : List.of("first", "later")) {
            for (String key : keys()) {
                long last = shop.database.queryLong("SELECT n FROM counter WHERE key = '" + key + "'");
                await().atMost(LONG)
                        .untilAsserted(() -> assertThat(handled(shop, consumer + "/" + key))
                                .as("seed %d, consumer %s, key %s", seed, consumer, key)
                                .isEqualTo(LongStream.rangeClosed(1, last)
                                        .mapToObj(Long::toString)
                                        .toList()));
            }
        }
        assertThat(shop.database.queryLong("SELECT count(*) FROM handled"))
                .as("seed %d", seed)
                .isEqualTo(2 * published);
        await().until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.position WHERE done <> '{}'") == 0);
    }

    private static List<String> handled(Shop shop, String key) throws SQLException {
        List<String> bodies = new ArrayList<>();
        try (Connection connection = shop.pool.getConnection();
                PreparedStatement select =
                        connection.prepareStatement("SELECT body FROM handled WHERE message_key = ? ORDER BY nth")) {
            select.setString(1, key);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    bodies.add(row.getString(1));
                }
            }
        }
        return bodies;
    }
}
