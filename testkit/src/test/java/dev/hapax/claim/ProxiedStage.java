package dev.hapax.claim;

import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Shop;
import dev.hapax.testkit.TcpProxy;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What the tests of lost connections stand on: a service that reaches its database through a proxy, and the shop that doesn't. */
abstract class ProxiedStage {

    static final Duration SOON = Duration.ofSeconds(20);
    private static final int CONNECTIONS = 4;

    private final int attempts;
    Shop shop;
    TcpProxy proxy;
    HikariDataSource pool;
    Hapax hapax;

    /** @param attempts how often the service tries what others have broken */
    ProxiedStage(int attempts) {
        this.attempts = attempts;
    }

    @BeforeEach
    void open() {
        shop = Shop.open();
        proxy = TcpProxy.to(shop.database.server().port());
        pool = shop.database.pooledAt(proxy.port(), CONNECTIONS);
        hapax = Shop.builder(pool).attempts(attempts).open();
    }

    @AfterEach
    void close() {
        hapax.close();
        proxy.close();
        shop.close();
    }
}
