package dev.hapax.faults;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.HapaxException;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.consume.Consumer;
import dev.hapax.testkit.TestDatabase;
import dev.hapax.testkit.fault.Site;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A steady traffic by way of a site's network: callers that apply operations once, repeat themselves, and repeat what failed until it is acknowledged; and two processes' worth of consumers. The effects are rows and
 * increments in the target, so that a second one shows.
 */
final class Traffic implements AutoCloseable {

    static final String DATABASE = "shop";
    static final String CONSUMER = "billing";

    private static final Logger LOG = LoggerFactory.getLogger(Traffic.class);
    private static final String TOPIC = "orders.placed";
    private static final int CALLERS = 3;
    private static final double REPEATED = 0.3;
    private static final Duration PACE = Duration.ofMillis(8);

    private final List<HikariDataSource> pools = new ArrayList<>();
    private final List<Hapax> services = new ArrayList<>();
    private final List<Consumer> consumers = new ArrayList<>();
    private final List<Thread> callers = new ArrayList<>();
    private final Semaphore stop = new Semaphore(0);
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicLong failures = new AtomicLong();
    private final AtomicLong repeats = new AtomicLong();
    private final Set<Integer> acknowledged = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<Integer> again = new ConcurrentLinkedQueue<>();
    private final Site site;
    private volatile boolean fresh = true;

    private Traffic(Site site) {
        this.site = site;
    }

    static Traffic start(Site site, long seed) {
        TestDatabase database = site.database(DATABASE);
        Shop.prepare(database);
        try {
            database.execute("CREATE TABLE billed (id text NOT NULL);"
                    + " CREATE INDEX billed_id ON billed (id); CREATE INDEX effect_id ON effect (id);"
                    + " CREATE TABLE counted (slot int PRIMARY KEY, effects bigint NOT NULL);"
                    + " INSERT INTO counted SELECT slot, 0 FROM generate_series(0, 15) AS slot");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        Traffic traffic = new Traffic(site);
        traffic.open();
        for (int i = 0; i < CALLERS; i++) {
            Random random = new Random(seed * 31 + i);
            traffic.callers.add(Thread.ofPlatform().name("caller-" + i).start(() -> traffic.call(random)));
        }
        return traffic;
    }

    private void open() {
        for (int i = 0; i < 2; i++) {
            HikariDataSource pool = pool();
            pools.add(pool);
            Hapax hapax = Shop.builder(pool).attempts(2).open();
            services.add(hapax);
            consumers.add(hapax.consumer(CONSUMER)
                    .topic(TOPIC)
                    .batch(20)
                    .lease(Duration.ofSeconds(2))
                    .handle(String.class, (body, tx) -> bill(tx.connection(), body))
                    .start());
        }
    }

    /** As a careful service sets it: no wait without an end. */
    private HikariDataSource pool() {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(site.jdbcUrl(DATABASE) + "&socketTimeout=3&connectTimeout=2&loginTimeout=2");
        config.setMaximumPoolSize(8);
        config.setMinimumIdle(2);
        config.setConnectionTimeout(1_500);
        config.setValidationTimeout(1_000);
        return new HikariDataSource(config);
    }

    private static void bill(Connection connection, String body) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO billed VALUES (?)")) {
            insert.setString(1, body);
            insert.executeUpdate();
        }
    }

    private void call(Random random) {
        try {
            while (!stop.tryAcquire(PACE.toMillis(), TimeUnit.MILLISECONDS)) {
                Integer failed = again.poll();
                if (failed != null) {
                    apply(failed);
                } else if (fresh) {
                    apply(next.getAndIncrement());
                }
                if (random.nextDouble() < REPEATED) {
                    repeats.incrementAndGet();
                    apply(random.nextInt(Math.max(1, next.get())));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One call with the operation's own key, which each repeat has too. */
    private void apply(int number) {
        Key key = key(number);
        try {
            services.get(number % services.size()).once(key).run(tx -> {
                Shop.effect(tx.connection(), key.id());
                count(tx.connection(), number % 16);
                tx.publish(TOPIC, key.id(), key.id());
            });
            acknowledged.add(number);
        } catch (HapaxException | SQLException e) {
            failures.incrementAndGet();
            again.add(number);
            LOG.debug("{} is tried again", key, e);
        }
    }

    private static void count(Connection connection, int slot) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE counted SET effects = effects + 1 WHERE slot = ?")) {
            update.setInt(1, slot);
            update.executeUpdate();
        }
    }

    static Key key(int number) {
        return Key.of("orders", "order-" + number);
    }

    /** No new operations; those that have failed are repeated until they are acknowledged. */
    void settle() {
        fresh = false;
    }

    boolean isSettled() {
        return !fresh && again.isEmpty() && acknowledged.size() == next.get();
    }

    /** A source that still has them sends all of its operations again. */
    void sendAllAgain() {
        for (int number = 0; number < next.get(); number++) {
            acknowledged.remove(number);
            again.add(number);
        }
    }

    long acknowledgedCount() {
        return acknowledged.size();
    }

    List<Integer> acknowledgedNumbers() {
        return List.copyOf(acknowledged);
    }

    long failures() {
        return failures.get();
    }

    long repeats() {
        return repeats.get();
    }

    Hapax service() {
        return services.getFirst();
    }

    @Override
    public void close() {
        stop.release(CALLERS);
        callers.forEach(Thread::interrupt);
        consumers.forEach(consumer -> consumer.stop(Duration.ofSeconds(2)));
        services.forEach(Hapax::close);
        pools.forEach(HikariDataSource::close);
    }
}
