package dev.hapax.testkit.fault;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.LimitedDisk;
import dev.hapax.testkit.TcpProxy;
import dev.hapax.testkit.TestDatabase;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A database server, and the network in front of it: what an {@link Outage} happens to. Those who are to feel it connect by {@link #port()}, which stays the same whatever happens behind it; those
 * who count afterwards ask {@link #server()}.
 *
 * <p>Thread-safe.
 */
public final class Site implements AutoCloseable {
    private final TcpProxy proxy;
    private final @Nullable LimitedDisk disk;
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();
    private volatile EmbeddedDatabase server;

    private Site(EmbeddedDatabase server, @Nullable LimitedDisk disk) {
        this.server = server;
        this.disk = disk;
        this.proxy = TcpProxy.to(server.port());
    }

    /**
     * A site with a server that is there; closing the site doesn't stop it.
     *
     * @param server a server that nobody else needs, since it is killed
     * @return the site
     */
    public static Site of(EmbeddedDatabase server) {
        return new Site(server, null);
    }

    /**
     * A site with a server of its own, which is stopped with it.
     *
     * @param builder how the server is started
     * @return the site
     */
    public static Site start(EmbeddedDatabase.Builder builder) {
        EmbeddedDatabase server = builder.start();
        Site site = new Site(server, null);
        site.owned.push(server);
        return site;
    }

    /**
     * A site with a server whose files lie on a disk that can be full; they are gone when it is closed.
     *
     * @param disk where; belongs to the site from now on
     * @param builder how the server is started; its directory is set here
     * @return the site
     */
    public static Site on(LimitedDisk disk, EmbeddedDatabase.Builder builder) {
        EmbeddedDatabase server =
                builder.directory(disk.directory().resolve("database")).start();
        Site site = new Site(server, disk);
        site.owned.push(disk);
        site.owned.push(server);
        return site;
    }

    /** {@return the server that takes writes now; another one after a failover} */
    public EmbeddedDatabase server() {
        return server;
    }

    /** {@return the network in front of it} */
    public TcpProxy proxy() {
        return proxy;
    }

    /** {@return the port of the loopback interface that clients use, for ever the same} */
    public int port() {
        return proxy.port();
    }

    /**
     * Where clients find a database.
     *
     * @param name its name
     * @return a JDBC URL by way of the network, for the superuser
     */
    public String jdbcUrl(String name) {
        return "jdbc:postgresql://127.0.0.1:" + port() + "/" + name + "?user=" + EmbeddedDatabase.USER;
    }

    /**
     * The database by its direct way, on whichever server takes writes now.
     *
     * @param name its name
     * @return the database
     */
    public TestDatabase database(String name) {
        return server.database(name);
    }

    /** {@return the disk that can be full, if there is one} */
    public Optional<LimitedDisk> disk() {
        return Optional.ofNullable(disk);
    }

    /** From now on, another server takes writes; it is closed with the site. */
    void moveTo(EmbeddedDatabase other, AutoCloseable owner) {
        owned.push(owner);
        server = other;
        proxy.retarget(other.port());
        proxy.cutAll();
    }

    /** Ends the network, and the servers and the disk that belong to the site. */
    @Override
    public void close() {
        proxy.close();
        while (!owned.isEmpty()) {
            try {
                owned.pop().close();
            } catch (Exception failure) {
                throw new IllegalStateException("a part of the site could not be closed", failure);
            }
        }
    }
}
