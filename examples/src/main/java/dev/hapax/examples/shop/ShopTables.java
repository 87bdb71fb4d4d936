package dev.hapax.examples.shop;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** The SQL of the effects, the same with Hapax and without. Plain JDBC on a connection that the caller commits. */
final class ShopTables {
    private ShopTables() {}

    static void insertLine(Connection connection, OrderLine order) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO shop.order_line (invoice, line, stock_code, quantity, unit_price, customer) VALUES (?, ?, ?, ?, ?, ?)")) {
            insert.setString(1, order.invoice());
            insert.setInt(2, order.line());
            insert.setString(3, order.stockCode());
            insert.setLong(4, order.quantity());
            insert.setBigDecimal(5, order.unitPrice());
            insert.setString(6, order.customer());
            insert.executeUpdate();
        }
    }

    /** Takes the quantity from the stock and returns what is left. */
    static long takeFromStock(Connection connection, OrderLine order) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement("""
                INSERT INTO shop.stock (stock_code, quantity) VALUES (?, -?)
                ON CONFLICT (stock_code) DO UPDATE SET quantity = stock.quantity + excluded.quantity
                RETURNING quantity""")) {
            upsert.setString(1, order.stockCode());
            upsert.setLong(2, order.quantity());
            try (ResultSet row = upsert.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    static void addToBalance(Connection connection, String customer, BigDecimal amount) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement("""
                INSERT INTO billing.balance (customer, amount) VALUES (?, ?)
                ON CONFLICT (customer) DO UPDATE SET amount = balance.amount + excluded.amount""")) {
            upsert.setString(1, customer);
            upsert.setBigDecimal(2, amount);
            upsert.executeUpdate();
        }
    }

    static void insertLedger(Connection connection, OrderPlaced placed) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO billing.ledger (invoice, line, amount) VALUES (?, ?, ?)")) {
            insert.setString(1, placed.invoice());
            insert.setInt(2, placed.line());
            insert.setBigDecimal(3, placed.amount());
            insert.executeUpdate();
        }
    }
}
