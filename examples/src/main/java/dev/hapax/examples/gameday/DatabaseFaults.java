package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.ShopDatabase;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.LimitedDisk;
import dev.hapax.testkit.TcpProxy;
import dev.hapax.testkit.fault.ConnectionHog;
import dev.hapax.testkit.fault.OpenTransaction;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** What happens to the database's server, without loss of what was committed. */
final class DatabaseFaults {
    private static final Duration TAKEN_TIME = Duration.ofSeconds(3);
    private static final Duration FULL_TIME = Duration.ofSeconds(3);
    private static final Duration IDLE_TIME = Duration.ofSeconds(3);

    private final ShopDatabase database;

    DatabaseFaults(ShopDatabase database) {
        this.database = database;
    }

    Struck kill() throws Exception {
        EmbeddedDatabase server = database.server();
        return Struck.at("the server, and its recovery", () -> {
            server.kill9();
            server.restart();
        });
    }

    Struck restart() throws Exception {
        return Struck.at("the server", database.server()::restart);
    }

    Struck terminate() throws Exception {
        long since = System.nanoTime();
        int ended = database.server().terminateSessions();
        return new Struck(ended + " sessions", since, System.nanoTime());
    }

    /** Who could connect again meanwhile would keep what it gets. */
    Struck takeConnections(Network network) throws Exception {
        long since = System.nanoTime();
        network.all().forEach(TcpProxy::refuse);
        network.all().forEach(TcpProxy::cutAll);
        try (ConnectionHog hog = ConnectionHog.of(database.server())) {
            network.all().forEach(TcpProxy::admit);
            TimeUnit.NANOSECONDS.sleep(TAKEN_TIME.toNanos());
        } finally {
            network.all().forEach(TcpProxy::heal);
        }
        return new Struck("all sessions", since, System.nanoTime());
    }

    Struck fillDisk(LimitedDisk disk) throws Exception {
        EmbeddedDatabase server = database.server();
        return Struck.during("the disk of all data", FULL_TIME, disk::fill, () -> {
            disk.free();
            if (!server.isRunning()) {
                server.restart();
            }
        });
    }

    /** It has an id of its own, so whoever reads the log in order must not give up what it might still bring. */
    Struck idleTransaction() throws Exception {
        OpenTransaction open = OpenTransaction.on(database.server().database());
        return Struck.during("all who read", IDLE_TIME, () -> {}, open::close);
    }
}
