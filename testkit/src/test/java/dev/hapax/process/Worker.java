package dev.hapax.process;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.HapaxBuilder;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.Scope;
import dev.hapax.Shop;
import dev.hapax.testkit.ChildJvm;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;

/** What the child processes of the tests run. */
public final class Worker {

    /** How wrong the clock of this process is, such as {@code -PT1H}; its keys have times then, and a window of two hours. */
    static final String SKEW = "worker.skew";

    /** When the first of these keys came to be: an instant that all processes are told. */
    static final String NOW = "worker.now";

    private Worker() {}

    /** @param args the database's URL, then {@code once FROM TO}, {@code consume LEASE_MILLIS}, {@code read} or {@code saga LEASE_MILLIS} */
    public static void main(String[] args) throws Exception {
        ChildJvm.endWithParent();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(args[0]);
        config.setMaximumPoolSize(4);
        try (HikariDataSource pool = new HikariDataSource(config);
                Hapax hapax = service(pool).open()) {
            switch (args[1].toLowerCase(Locale.ROOT)) {
                case "once" -> once(hapax, Integer.parseInt(args[2]), Integer.parseInt(args[3]));
                case "saga" -> sagas(hapax, Integer.parseInt(args[2]));
                case "consume" -> consume(hapax, Integer.parseInt(args[2]));
                case "read" -> read(hapax);
                default -> throw new IllegalArgumentException(args[1]);
            }
        }
    }

    private static HapaxBuilder service(HikariDataSource pool) {
        HapaxBuilder builder = Shop.builder(pool);
        String skew = System.getProperty(SKEW);
        return skew == null
                ? builder
                : builder.clock(InstantSource.offset(InstantSource.system(), Duration.parse(skew)))
                        .scope(Scope.of("orders").remember(Duration.ofHours(2)));
    }

    /** The key of the nth operation: the same in each process and each try. */
    static Key key(int n) {
        Key key = Key.of("orders", "order-" + n);
        String now = System.getProperty(NOW);
        // Each second one is old: in its window by the right clock, and out of it by one that is an hour ahead.
        return now == null ? key : key.at(Instant.parse(now).minus(Duration.ofMinutes(n % 2 * 90L)));
    }

    private static void once(Hapax hapax, int from, int to) throws Exception {
        print("ready");
        for (int n = from; n < to; n++) {
            Key key = key(n);
            boolean done = false;
            while (!done) {
                try {
                    hapax.once(key).run(tx -> {
                        Shop.effect(tx.connection(), key.id());
                        tx.publish("orders.placed", key.id(), key.id());
                    });
                    done = true;
                } catch (RetryException e) {
                    print("again " + key);
                }
            }
            if (n % 50 == 0) {
                print("at " + n);
            }
        }
        print("done");
    }

    private static void consume(Hapax hapax, int leaseMillis) throws Exception {
        var consumer = hapax.consumer("billing")
                .topic("orders.placed")
                .lease(Duration.ofMillis(leaseMillis))
                .batch(20)
                .handle(String.class, (body, tx) -> {
                    Shop.effect(tx.connection(), "billed-" + body);
                    // A transaction that takes a moment is one that can be killed or stopped in its middle.
                    try (var statement = tx.connection().createStatement()) {
                        statement.execute("SELECT pg_sleep(0.002)");
                    }
                })
                .start();
        print("consuming");
        Thread.currentThread().join();
        consumer.close();
    }

    /** Counts messages of bytes. */
    private static void read(Hapax hapax) throws Exception {
        var consumer = hapax.consumer("reader")
                .topic("blobs")
                .continuePastFailures()
                .handle(
                        byte[].class,
                        (body, tx) -> Shop.effect(
                                tx.connection(),
                                "read-" + body.length + "-" + tx.message().id()))
                .start();
        print("reading");
        Thread.currentThread().join();
        consumer.close();
    }

    /** Runs sagas of five steps that take a moment each. */
    private static void sagas(Hapax hapax, int leaseMillis) throws Exception {
        hapax.saga("fulfil", String.class).lease(Duration.ofMillis(leaseMillis)).run((saga, id) -> {
            for (int n = 1; n <= 5; n++) {
                saga.step("step", tx -> {
                            Shop.effect(
                                    tx.connection(),
                                    "saga-" + id + "-" + saga.key().id());
                            try (var statement = tx.connection().createStatement()) {
                                statement.execute("SELECT pg_sleep(0.02)");
                            }
                        })
                        .run();
            }
        });
        print("ready");
        Thread.currentThread().join();
    }

    private static void print(String line) {
        System.out.println(line);
    }
}
