package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.ShopDatabase;
import dev.hapax.testkit.TcpProxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What lies between the processes and the database: a proxy for each, which fails when it is told to. Thread-safe. */
final class Network implements AutoCloseable {
    /** Whoever waits longer for an answer has lost the connection. Longer than any statement takes, shorter than the network keeps silent. */
    private static final int SOCKET_SECONDS = 4;

    private static final int CONNECT_SECONDS = 3;

    private final Map<String, TcpProxy> proxies = new ConcurrentHashMap<>();
    private final ShopDatabase database;

    Network(ShopDatabase database) {
        this.database = database;
    }

    /** Where a process finds the database, in all its lives. */
    String jdbcUrl(String process) {
        TcpProxy proxy = proxies.computeIfAbsent(
                process, first -> TcpProxy.to(database.server().port()));
        return database.server().database().jdbcUrlAt(proxy.port()) + "&connectTimeout=" + CONNECT_SECONDS
                + "&socketTimeout=" + SOCKET_SECONDS + "&tcpKeepAlive=true";
    }

    TcpProxy before(String process) {
        TcpProxy proxy = proxies.get(process);
        if (proxy == null) {
            throw new IllegalArgumentException("no process " + process + " has been started");
        }
        return proxy;
    }

    List<TcpProxy> all() {
        return new ArrayList<>(proxies.values());
    }

    /** The database is somewhere else now; whoever was connected finds out. */
    void follow() {
        all().forEach(proxy -> proxy.retarget(database.server().port()));
        all().forEach(TcpProxy::cutAll);
    }

    @Override
    public void close() {
        all().forEach(TcpProxy::close);
    }
}
