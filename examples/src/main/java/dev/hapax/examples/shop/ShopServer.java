package dev.hapax.examples.shop;

import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/** A shop process. Arguments: the JDBC URL, and {@code --naive} for the one without Hapax. Prints {@code ready PORT} when it answers. */
public final class ShopServer {
    /** Where order lines are posted. */
    public static final String PATH = "/order-lines";

    private static final int CONNECTIONS = 8;
    private static final int BACKLOG = 256;
    private static final int STOP_SECONDS = 5;

    private ShopServer() {}

    /**
     * Serves until SIGTERM, or until the process that started it is gone.
     *
     * @param args the JDBC URL, and {@code --naive} or nothing
     * @throws IOException if no port can be had
     */
    public static void main(String[] args) throws IOException {
        limitTheServer();
        Worker worker = Worker.begin(args);
        HikariDataSource pool = worker.pool(CONNECTIONS);
        Orders orders = worker.isNaive() ? new NaiveOrders(pool) : new HapaxOrders(pool, Worker.codec());
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        server.createContext(PATH, new OrderHandler(orders));
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        Worker.atTheEnd(() -> {
            server.stop(STOP_SECONDS);
            orders.close();
            pool.close();
        });
        server.start();
        Worker.ready(Integer.toString(server.getAddress().getPort()));
    }

    /** The JDK's server has no limits of its own, and waits for the other side's acknowledgement before it sends the rest of an answer. */
    private static void limitTheServer() {
        System.setProperty("sun.net.httpserver.nodelay", "true");
        System.setProperty("jdk.httpserver.maxConnections", "256");
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
        System.setProperty("sun.net.httpserver.maxRspTime", "60");
        System.setProperty("sun.net.httpserver.maxIdleConnections", "128");
    }
}
