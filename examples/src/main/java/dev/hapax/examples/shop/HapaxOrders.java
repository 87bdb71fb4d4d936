package dev.hapax.examples.shop;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Scope;
import dev.hapax.once.Result;
import dev.hapax.spi.Codec;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import javax.sql.DataSource;

/** The shop with Hapax: the line, the stock, the message and the memory of the key commit together, or not at all. */
final class HapaxOrders implements Orders {
    private static final String SCOPE = "orders.place";

    private final Hapax hapax;

    HapaxOrders(DataSource database, Codec codec, InstantSource clock) {
        this.hapax = Hapax.on(database)
                .name("shop")
                .codec(codec)
                .clock(clock)
                // Longer than any client goes on trying; after it a repeat is refused, never applied.
                .scope(Scope.of(SCOPE).ownedBy("orders").remember(Duration.ofDays(7)))
                .open();
    }

    @Override
    public Result<Receipt> place(String key, OrderLine order) throws SQLException {
        // The id is the client's, and a UUIDv7: it carries the time at which the client decided to order, so every
        // retry brings the same
        // time with it and meets the same day's markers. The time on the invoice would be wrong here (it is years old,
        // and outside any
        // window), and so would the time of arrival (each retry would have another one). The invoice's number and
        // position would do as a
        // timeless key; then nothing could ever be forgotten.
        return hapax.once(Key.of(SCOPE, key), Receipt.class).matching(order).call(tx -> {
            ShopTables.insertLine(tx.connection(), order);
            long left = ShopTables.takeFromStock(tx.connection(), order);
            // Messages of one key are handled in order, and what has to be in order is one customer's account.
            tx.publish(OrderPlaced.TOPIC, order.customer(), OrderPlaced.of(order));
            return new Receipt(order.invoice(), order.line(), order.amount(), left);
        });
    }

    @Override
    public void close() {
        hapax.close();
    }
}
