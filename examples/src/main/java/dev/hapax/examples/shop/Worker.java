package dev.hapax.examples.shop;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.json.JsonCodec;
import dev.hapax.spi.Codec;
import dev.hapax.testkit.ChildJvm;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the processes of the shop and of billing have in common: how they are told what to do.
 *
 * @param jdbcUrl their database
 * @param naive whether they do without Hapax
 * @param clockOffset how far the process's clock is ahead of the machine's
 * @param bank what billing has invoices paid by; null if nobody pays
 * @param broker what lies between shop and billing; null if they share the log in the database
 */
public record Worker(
        String jdbcUrl,
        boolean naive,
        Duration clockOffset,
        @Nullable BankAddress bank,
        @Nullable BrokerAccess broker) {
    private static final long CONNECT_MILLIS = 5_000;
    private static final String NAIVE = "--naive";
    private static final String CLOCK = "--clock-offset=";
    private static final String BANK = "--bank=";
    private static final String ASKED_BANK = "--asked-bank=";

    /**
     * Reads the arguments, and ties this process to the one that started it.
     *
     * @param args as {@link #arguments()} gives them
     */
    static Worker begin(String[] args) {
        if (args.length == 0) {
            throw new IllegalArgumentException("arguments: JDBC-URL [" + NAIVE + "] [" + CLOCK + "DURATION] [" + BANK
                    + "URL | " + ASKED_BANK + "URL] [options of a broker]");
        }
        boolean naive = false;
        Duration clockOffset = Duration.ZERO;
        BankAddress bank = null;
        List<String> broker = new ArrayList<>();
        for (String option : List.of(args).subList(1, args.length)) {
            if (option.equals(NAIVE)) {
                naive = true;
            } else if (option.startsWith(CLOCK)) {
                clockOffset = Duration.parse(option.substring(CLOCK.length()));
            } else if (option.startsWith(BANK)) {
                bank = new BankAddress(URI.create(option.substring(BANK.length())), true);
            } else if (option.startsWith(ASKED_BANK)) {
                bank = new BankAddress(URI.create(option.substring(ASKED_BANK.length())), false);
            } else if (BrokerAccess.isOption(option)) {
                broker.add(option);
            } else {
                throw new IllegalArgumentException("there is no option " + option);
            }
        }
        ChildJvm.endWithParent();
        return new Worker(args[0], naive, clockOffset, bank, BrokerAccess.of(broker));
    }

    /** {@return what to give a process's {@code main}, so that it becomes this} */
    public String[] arguments() {
        List<String> arguments = new ArrayList<>(List.of(jdbcUrl));
        if (naive) {
            arguments.add(NAIVE);
        }
        if (!clockOffset.isZero()) {
            arguments.add(CLOCK + clockOffset);
        }
        if (bank != null) {
            arguments.add((bank.honoursKeys() ? BANK : ASKED_BANK) + bank.uri());
        }
        if (broker != null) {
            arguments.addAll(broker.arguments());
        }
        return arguments.toArray(String[]::new);
    }

    /** The process's clock, right or wrong. */
    InstantSource clock() {
        return InstantSource.offset(InstantSource.system(), clockOffset);
    }

    /** A pool of connections; not more than the database's share for one of several processes. */
    HikariDataSource pool(int size) {
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
                .type("payment.v1", Payment.class)
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
