package dev.hapax.process;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.Shop;
import dev.hapax.testkit.ChildJvm;
import java.time.Duration;
import java.util.Locale;

/** What the child processes of the tests run. */
public final class Worker {

    private Worker() {}

    /** @param args the database's URL, then {@code once FROM TO} or {@code consume LEASE_MILLIS} */
    public static void main(String[] args) throws Exception {
        ChildJvm.endWithParent();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(args[0]);
        config.setMaximumPoolSize(4);
        try (HikariDataSource pool = new HikariDataSource(config);
                Hapax hapax = Shop.builder(pool).open()) {
            switch (args[1].toLowerCase(Locale.ROOT)) {
                case "once" -> once(hapax, Integer.parseInt(args[2]), Integer.parseInt(args[3]));
                case "consume" -> consume(hapax, Integer.parseInt(args[2]));
                default -> throw new IllegalArgumentException(args[1]);
            }
        }
    }

    /** The key of the nth operation: the same in each process and each try. */
    static Key key(int n) {
        return Key.of("orders", "order-" + n);
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

    private static void print(String line) {
        System.out.println(line);
    }
}
