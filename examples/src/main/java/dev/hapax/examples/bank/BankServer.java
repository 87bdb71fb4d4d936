package dev.hapax.examples.bank;

import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.testkit.ChildJvm;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.Executors;

/**
 * The bank: a process of its own with a database of its own. It is slow, fails, answers late, and closes connections after it has charged. Arguments: its database, whether it honours keys, and
 * its seed. Prints {@code ready URL} when it answers.
 *
 * <p>Thread-safe.
 */
public final class BankServer implements AutoCloseable {
    /** What the bank promises: a request that has reached it is booked within this time, or never. */
    public static final Duration BOOKS_WITHIN = Duration.ofSeconds(4);

    private static final int CONNECTIONS = 8;
    private static final int BACKLOG = 256;

    private final HikariDataSource pool;
    private final HttpServer server;

    /**
     * Opens the bank.
     *
     * @param jdbcUrl its database, with its tables
     * @param honoursKeys whether a second request with a key books nothing
     * @param seed decides how it treats each request
     * @throws IOException if no port can be had
     */
    public BankServer(String jdbcUrl, boolean honoursKeys, long seed) throws IOException {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(jdbcUrl);
        config.setMaximumPoolSize(CONNECTIONS);
        config.setMinimumIdle(1);
        this.pool = new HikariDataSource(config);
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        server.createContext("/", new Counter(new Books(pool, honoursKeys), new Manners(seed)));
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
    }

    /**
     * Serves until SIGTERM, or until the process that started it is gone.
     *
     * @param args as {@link #arguments} gives them
     * @throws IOException if no port can be had
     */
    public static void main(String[] args) throws IOException {
        ChildJvm.endWithParent();
        BankServer bank = new BankServer(args[0], Boolean.parseBoolean(args[1]), Long.parseLong(args[2]));
        Runtime.getRuntime().addShutdownHook(new Thread(bank::close, "stop"));
        System.out.println("ready " + bank.address());
    }

    /**
     * What to give {@link #main}.
     *
     * @param jdbcUrl its database
     * @param honoursKeys whether a second request with a key books nothing
     * @param seed decides how it treats each request
     * @return the arguments
     */
    public static String[] arguments(String jdbcUrl, boolean honoursKeys, long seed) {
        return new String[] {jdbcUrl, Boolean.toString(honoursKeys), Long.toString(seed)};
    }

    /** {@return where it answers} */
    public URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    @Override
    public void close() {
        server.stop(0);
        pool.close();
    }
}
