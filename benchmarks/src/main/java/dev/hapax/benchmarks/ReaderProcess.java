package dev.hapax.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.consume.Start;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A process that reads, as a service would. A line {@code COUNT FILE} on its input makes it wait until so many messages have arrived, and write those that came since the
 * last line into the file, with the time of each. It ends when its input does.
 */
public final class ReaderProcess {

    static final String CONSUMER = "reader";

    private record Arrival(int number, long nanos) {}

    private ReaderProcess() {}

    /**
     * Reads until its input ends.
     *
     * @param args the database's URL, and {@code consume} or {@code pool}: with a consumer, or with nothing but a pool, to see what a process costs without
     * @throws Exception if it can't
     */
    public static void main(String[] args) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(args[0] + "&ApplicationName=" + application(args[1]));
        config.setMaximumPoolSize(8);
        config.setMinimumIdle(8);
        Queue<Arrival> arrivals = new ConcurrentLinkedQueue<>();
        AtomicInteger count = new AtomicInteger();
        try (HikariDataSource pool = new HikariDataSource(config)) {
            if (args[1].equals("pool")) {
                System.out.println("reading");
                serve(arrivals, count);
                return;
            }
            try (Hapax hapax = Hapax.on(pool).name("bench-reader").open()) {
                Messages.consumer(hapax, CONSUMER, number -> {
                            arrivals.add(new Arrival(number, System.nanoTime()));
                            count.incrementAndGet();
                        })
                        .startFrom(Start.NOW)
                        .start();
                awaitLanes(pool);
                System.out.println("reading");
                serve(arrivals, count);
            }
        }
    }

    /** By which the server's sessions of a process are told apart. */
    static String application(String mode) {
        return "hapax-bench-" + mode;
    }

    /** Where it starts is settled when it has its lanes. */
    private static void awaitLanes(HikariDataSource pool) throws InterruptedException {
        Waiting.until(Duration.ofSeconds(30), "the reader has its lanes", () -> {
            try (var connection = pool.getConnection();
                    var statement = connection.createStatement();
                    var row = statement.executeQuery("SELECT count(*) FROM hapax.position WHERE owner IS NOT NULL")) {
                row.next();
                return row.getInt(1) == 16;
            }
        });
    }

    private static void serve(Queue<Arrival> arrivals, AtomicInteger count) throws IOException, InterruptedException {
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            int space = line.indexOf(' ');
            int wanted = Integer.parseInt(line.substring(0, space));
            Path file = Path.of(line.substring(space + 1));
            Waiting.until(Duration.ofSeconds(30), "all messages arrive", () -> count.get() >= wanted);
            StringBuilder out = new StringBuilder();
            for (Arrival a = arrivals.poll(); a != null; a = arrivals.poll()) {
                out.append(a.number()).append(' ').append(a.nanos()).append('\n');
            }
            Files.writeString(file, out);
            System.out.println("wrote " + file);
        }
    }
}
