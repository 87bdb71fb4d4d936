package dev.hapax.examples.shop;

import dev.hapax.once.Result;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * The shop as it is often written: a transaction and an outbox, all right in itself, but nothing that knows a retry when it sees one. A client that
 * did not hear the answer orders again.
 */
final class NaiveOrders implements Orders {
    private final DataSource database;

    NaiveOrders(DataSource database) {
        this.database = database;
    }

    @Override
    public Result<Receipt> place(String key, OrderLine order) throws SQLException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try {
                ShopTables.insertLine(connection, order);
                long left = ShopTables.takeFromStock(connection, order);
                publish(connection, OrderPlaced.of(order));
                connection.commit();
                return new Result.Applied<>(new Receipt(order.invoice(), order.line(), order.amount(), left));
            } catch (SQLException failure) {
                connection.rollback();
                throw failure;
            }
        }
    }

    private static void publish(Connection connection, OrderPlaced placed) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO shop.outbox (invoice, line, lines, customer, amount) VALUES (?, ?, ?, ?, ?)")) {
            insert.setString(1, placed.invoice());
            insert.setInt(2, placed.line());
            insert.setInt(3, placed.lines());
            insert.setString(4, placed.customer());
            insert.setBigDecimal(5, placed.amount());
            insert.executeUpdate();
        }
    }

    @Override
    public void close() {
        // Holds nothing of its own.
    }
}
