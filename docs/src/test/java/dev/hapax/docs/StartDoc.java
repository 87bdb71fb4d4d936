package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.Scope;
import dev.hapax.consume.Consumer;
import dev.hapax.json.JsonCodec;
import dev.hapax.once.Result;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

class StartDoc {

    private final Orders orders = new Orders();
    private final Ledger ledger = new Ledger();

    @Test
    void a_first_service() throws SQLException {
        // tag::database[]
        TestDatabase database = EmbeddedDatabase.shared().createDatabase();
        DataSource dataSource = database.pooled(10);
        // end::database[]
        // tag::tables[]
        database.execute("""
                CREATE TABLE orders (id text NOT NULL, customer text NOT NULL, total numeric(12, 2) NOT NULL);
                CREATE TABLE ledger (customer text NOT NULL, order_id text NOT NULL, amount numeric(12, 2) NOT NULL);
                """);
        // end::tables[]
        // tag::schema[]
        Schema.on(dataSource).apply();
        // end::schema[]
        // tag::open[]
        JsonCodec codec = JsonCodec.builder()
                .type("receipt.v1", Receipt.class)
                .type("order-placed.v1", OrderPlaced.class)
                .build();

        Hapax hapax = Hapax.on(dataSource)
                .name("checkout")
                .codec(codec)
                .scope(Scope.of("orders.place").ownedBy("orders").remember(Duration.ofDays(7)))
                .open();
        // end::open[]
        // tag::twice[]
        // Made once, by whoever wants the order, and repeated with every try. A UUIDv7: it carries its time.
        String request = Key.generate("orders.place").id();
        Order order = new Order("A-1", "anna", new BigDecimal("19.90"));

        Result<Receipt> first = place(hapax, request, order);
        Result<Receipt> again = place(hapax, request, order);

        assertThat(first.isApplied()).isTrue();
        assertThat(again.isApplied()).isFalse();
        assertThat(again.value()).isEqualTo(first.value());
        // end::twice[]
        // tag::other[]
        Order other = new Order("A-2", "anna", new BigDecimal("500.00"));
        assertThatThrownBy(() -> place(hapax, request, other)).isInstanceOf(KeyReusedException.class);
        // end::other[]
        // tag::consume[]
        Consumer billing = hapax.consumer("billing")
                .topic("orders.placed")
                .handle(OrderPlaced.class, (placed, tx) -> ledger.insert(tx.connection(), placed))
                .start();
        // end::consume[]
        await().until(() -> database.queryLong("SELECT count(*) FROM ledger") == 1);
        // tag::close[]
        billing.close();
        hapax.close();
        // end::close[]
        assertThat(database.queryLong("SELECT count(*) FROM orders")).isEqualTo(1);
        assertThat(database.queryLong("SELECT count(*) FROM ledger")).isEqualTo(1);
        database.close();
    }

    // tag::place[]
    Result<Receipt> place(Hapax hapax, String request, Order order) throws SQLException {
        return hapax.once(Key.of("orders.place", request), Receipt.class)
                .matching(order)
                .call(tx -> {
                    orders.insert(tx.connection(), order);
                    tx.publish("orders.placed", order.customer(), OrderPlaced.of(order));
                    return new Receipt(order.id());
                });
    }
    // end::place[]
}
