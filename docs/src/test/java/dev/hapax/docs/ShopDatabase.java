package dev.hapax.docs;

import dev.hapax.Hapax;
import dev.hapax.HapaxBuilder;
import dev.hapax.Key;
import dev.hapax.json.JsonCodec;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.math.BigDecimal;
import java.sql.SQLException;
import javax.sql.DataSource;

/** A database of its own for each example, with the tables that the examples write to. No key is unique: a repeat would show as a second row. */
final class ShopDatabase implements AutoCloseable {

    static final String TABLES = """
            CREATE TABLE orders (id text NOT NULL, customer text NOT NULL, total numeric(12, 2) NOT NULL);
            CREATE TABLE ledger (customer text NOT NULL, order_id text NOT NULL, amount numeric(12, 2) NOT NULL);
            CREATE TABLE stock (code text PRIMARY KEY, quantity bigint NOT NULL);
            INSERT INTO stock VALUES ('4711', 10);
            """;

    static final JsonCodec CODEC = JsonCodec.builder()
            .type("order.v1", Order.class)
            .type("receipt.v1", Receipt.class)
            .type("order-placed.v1", OrderPlaced.class)
            .build();

    final TestDatabase database;
    final DataSource pool;

    private ShopDatabase(TestDatabase database) {
        this.database = database;
        this.pool = database.pooled(10);
    }

    /** With the tables of the shop and those of Hapax. */
    static ShopDatabase create() throws SQLException {
        ShopDatabase shop = empty();
        Schema.on(shop.database.dataSource()).apply();
        return shop;
    }

    /** With the tables of the shop alone. */
    static ShopDatabase empty() throws SQLException {
        ShopDatabase shop = new ShopDatabase(EmbeddedDatabase.shared().createDatabase());
        shop.database.execute(TABLES);
        return shop;
    }

    HapaxBuilder service() {
        return Hapax.on(pool).name("checkout").codec(CODEC);
    }

    /** An order whose id is a UUIDv7, made once by whoever places it. */
    static Order newOrder(String customer) {
        return new Order(Key.generate("orders.place").id(), customer, new BigDecimal("19.90"));
    }

    long orders() throws SQLException {
        return database.queryLong("SELECT count(*) FROM orders");
    }

    long ledger() throws SQLException {
        return database.queryLong("SELECT count(*) FROM ledger");
    }

    @Override
    public void close() {
        database.close();
    }
}
