package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.consume.Consumer;
import dev.hapax.json.JsonCodec;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

class ReadmeDoc {

    private final Orders orders = new Orders();
    private final Ledger ledger = new Ledger();

    @Test
    void an_order_is_placed_and_billed_once() throws SQLException {
        try (ShopDatabase shop = ShopDatabase.create()) {
            DataSource dataSource = shop.pool;
            Order order = ShopDatabase.newOrder("anna");
            // tag::first[]
            Hapax hapax = Hapax.on(dataSource)
                    .name("checkout") // a part of every key: keep it for ever
                    .codec(JsonCodec.builder()
                            .type("receipt.v1", Receipt.class)
                            .type("order-placed.v1", OrderPlaced.class)
                            .build())
                    .open(); // checks the schema, never changes it
            // end::first[]
            for (int repeat = 0; repeat < 3; repeat++) {
                // tag::first[]

                // The row, the message and the memory of the key commit together, or not at all.
                Receipt receipt = hapax.once(Key.of("orders.place", order.id()), Receipt.class)
                        .matching(order) // the same key with another order is refused
                        .call(tx -> {
                            orders.insert(tx.connection(), order); // plain JDBC
                            tx.publish("orders.placed", order.customer(), OrderPlaced.of(order));
                            return new Receipt(order.id());
                        })
                        .value(); // a repeat gets the first answer
                // end::first[]
                assertThat(receipt).isEqualTo(new Receipt(order.id()));
            }
            // tag::first[]

            // The ledger's row and the position in the log commit together, so each message takes effect once.
            Consumer billing = hapax.consumer("billing")
                    .topic("orders.placed")
                    .handle(OrderPlaced.class, (placed, tx) -> ledger.insert(tx.connection(), placed))
                    .quarantineAfter(5) // tries; then a person decides
                    .start();
            // end::first[]
            await().until(() -> shop.ledger() == 1);
            billing.close();
            hapax.close();
            assertThat(shop.orders()).isEqualTo(1);
            assertThat(shop.ledger()).isEqualTo(1);
        }
    }
}
