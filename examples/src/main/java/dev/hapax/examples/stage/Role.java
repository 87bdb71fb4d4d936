package dev.hapax.examples.stage;

import dev.hapax.examples.shop.BillingWorker;
import dev.hapax.examples.shop.RelayWorker;
import dev.hapax.examples.shop.ShopServer;
import java.util.Locale;

/** What a process of the fleet does. */
public enum Role {
    /** Takes orders. */
    SHOP(ShopServer.class),
    /** Bills them. */
    BILLING(BillingWorker.class),
    /** Publishes the shop's messages to a broker. */
    RELAY(RelayWorker.class);

    final Class<?> main;

    Role(Class<?> main) {
        this.main = main;
    }

    /** {@return in lower case, as in the names of its processes} */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
