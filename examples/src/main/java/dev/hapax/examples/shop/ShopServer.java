package dev.hapax.examples.shop;

import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.Executors;

/**
 * A shop process. Arguments: those of a {@link Worker}. Prints {@code ready URL} when it answers.
 *
 * <p>Thread-safe.
 */
public final class ShopServer implements AutoCloseable {
    private static final String PATH = "/order-lines";
    private static final int CONNECTIONS = 8;
    private static final int BACKLOG = 256;
    private static final int STOP_SECONDS = 5;

    static {
        // The JDK's server has no limits of its own, and waits for the other side's acknowledgement before it sends the
        // rest of an answer.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        System.setProperty("jdk.httpserver.maxConnections", "256");
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
        System.setProperty("sun.net.httpserver.maxRspTime", "60");
        System.setProperty("sun.net.httpserver.maxIdleConnections", "128");
    }

    private final HikariDataSource pool;
    private final Orders orders;
    private final HttpServer server;

    /**
     * Opens the shop for requests.
     *
     * @param worker its database, and how it works
     * @throws IOException if no port can be had
     */
    public ShopServer(Worker worker) throws IOException {
        this.pool = worker.pool(CONNECTIONS);
        this.orders = worker.naive() ? new NaiveOrders(pool) : new HapaxOrders(pool, Worker.codec(), worker.clock());
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        server.createContext(PATH, new OrderHandler(orders));
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
    }

    /**
     * Serves until SIGTERM, or until the process that started it is gone.
     *
     * @param args as {@link Worker#arguments()} gives them
     * @throws IOException if no port can be had
     */
    public static void main(String[] args) throws IOException {
        ShopServer shop = new ShopServer(Worker.begin(args));
        Worker.atTheEnd(shop::close);
        Worker.ready(shop.address().toString());
    }

    /** {@return where order lines are posted} */
    public URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + PATH);
    }

    /** Answers the requests that it has begun, for a few seconds at most, then stops. */
    @Override
    public void close() {
        server.stop(STOP_SECONDS);
        orders.close();
        pool.close();
    }
}
