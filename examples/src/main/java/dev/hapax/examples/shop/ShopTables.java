package dev.hapax.examples.shop;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

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

    /**
     * An invoice, as far as its lines are billed.
     *
     * @param number the invoice's
     * @param customer who pays
     * @param amount of the lines that are billed
     */
    record Invoice(String number, String customer, BigDecimal amount) {}

    /** Adds a line to its invoice, which is returned with the last of its lines; till then nothing is. */
    static Optional<Invoice> addToInvoice(Connection connection, OrderPlaced placed) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement("""
                INSERT INTO billing.invoice (invoice, customer, lines, amount) VALUES (?, ?, 1, ?)
                ON CONFLICT (invoice) DO UPDATE SET lines = invoice.lines + 1, amount = invoice.amount + excluded.amount
                RETURNING lines, amount""")) {
            upsert.setString(1, placed.invoice());
            upsert.setString(2, placed.customer());
            upsert.setBigDecimal(3, placed.amount());
            try (ResultSet row = upsert.executeQuery()) {
                row.next();
                return row.getInt(1) == placed.lines()
                        ? Optional.of(new Invoice(placed.invoice(), placed.customer(), row.getBigDecimal(2)))
                        : Optional.empty();
            }
        }
    }

    static void insertCredit(Connection connection, Payment payment) throws SQLException {
        write(
                connection,
                "INSERT INTO billing.credit (invoice, amount) VALUES (?, ?)",
                payment.invoice(),
                payment.amount());
    }

    static void withdrawCredit(Connection connection, Payment payment) throws SQLException {
        write(
                connection,
                "DELETE FROM billing.credit WHERE invoice = ? AND amount = ?",
                payment.invoice(),
                payment.amount());
    }

    /** The amount is negative if money went back. */
    static void insertPayment(Connection connection, Payment payment, BigDecimal amount, String reference)
            throws SQLException {
        write(
                connection,
                "INSERT INTO billing.payment (invoice, amount, reference) VALUES (?, ?, ?)",
                payment.invoice(),
                amount,
                reference);
    }

    private static void write(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement write = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                write.setObject(i + 1, values[i]);
            }
            write.executeUpdate();
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
