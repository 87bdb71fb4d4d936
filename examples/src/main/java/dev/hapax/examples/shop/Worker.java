package dev.hapax.examples.shop;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.json.JsonCodec;
import dev.hapax.spi.Codec;
import dev.hapax.testkit.ChildJvm;

/**
 * What the processes of the shop and of billing have in common.
 *
 * @param jdbcUrl their database
 * @param naive whether they do without Hapax
 */
record Worker(String jdbcUrl, boolean naive) {
    private static final long CONNECT_MILLIS = 5_000;

    /**
     * Reads the arguments, and ties this process to the one that started it.
     *
     * @param args the JDBC URL, and {@code --naive} or nothing
     */
    static Worker begin(String[] args) {
        if (args.length == 0 || args.length > 2 || args.length == 2 && !args[1].equals("--naive")) {
            throw new IllegalArgumentException("arguments: JDBC-URL [--naive]");
        }
        ChildJvm.endWithParent();
        return new Worker(args[0], args.length == 2);
    }

    /** A pool of connections; not more than the database's share for one of several processes. */
    static HikariDataSource pool(String jdbcUrl, int size) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(jdbcUrl);
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(CONNECT_MILLIS);
        return new HikariDataSource(config);
    }

    /** What is stored has a name and a version of its own, so renaming a class strands nothing. */
    static Codec codec() {
        return JsonCodec.builder()
                .type("order-placed.v1", OrderPlaced.class)
                .type("receipt.v1", Receipt.class)
                .build();
    }

    /** Ends in order on SIGTERM: what is in flight is finished, nothing new begins. */
    static void atTheEnd(Runnable stop) {
        Runtime.getRuntime().addShutdownHook(new Thread(stop, "stop"));
    }

    /** Tells the process that started this one. */
    static void ready(String what) {
        System.out.println("ready " + what);
    }
}
