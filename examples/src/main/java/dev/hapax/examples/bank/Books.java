package dev.hapax.examples.bank;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The bank's books, in its own database. Safe for use by many threads. */
final class Books {
    private final DataSource database;
    private final boolean honoursKeys;

    /**
     * Opens them.
     *
     * @param honoursKeys whether a key that was booked is not booked again
     */
    Books(DataSource database, boolean honoursKeys) {
        this.database = database;
        this.honoursKeys = honoursKeys;
    }

    /**
     * A booking as the caller wants it.
     *
     * @param kind {@code charge} or {@code refund}
     * @param key the caller's
     * @param invoice what it is for
     * @param account whose
     * @param amount positive
     */
    record Order(String kind, String key, String invoice, String account, BigDecimal amount) {}

    /**
     * Books, and returns the reference; if keys are honoured, that of the first booking under this key.
     *
     * @param deadline by {@link System#nanoTime}; null is returned, and nothing booked, when it has passed
     */
    @Nullable
    String book(Order order, long deadline) throws SQLException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            if (honoursKeys && !isNew(connection, order.key())) {
                connection.rollback();
                return find(order.key()).orElseThrow(() -> new SQLException("the first booking is not there"));
            }
            String reference = insert(connection, order);
            if (System.nanoTime() - deadline > 0) {
                connection.rollback();
                return null;
            }
            connection.commit();
            return reference;
        }
    }

    /** Waits for another call with the same key that is being booked at this moment. */
    private static boolean isNew(Connection connection, String key) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO known_key (key) VALUES (?) ON CONFLICT DO NOTHING")) {
            insert.setString(1, key);
            return insert.executeUpdate() == 1;
        }
    }

    private static String insert(Connection connection, Order order) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO booking (kind, key, invoice, account, amount) VALUES (?, ?, ?, ?, ?) RETURNING reference")) {
            insert.setString(1, order.kind());
            insert.setString(2, order.key());
            insert.setString(3, order.invoice());
            insert.setString(4, order.account());
            insert.setBigDecimal(5, order.amount());
            try (ResultSet row = insert.executeQuery()) {
                row.next();
                return reference(row.getLong(1));
            }
        }
    }

    /** The first booking under a key. */
    Optional<String> find(String key) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement select = connection.prepareStatement(
                        "SELECT reference FROM booking WHERE key = ? ORDER BY reference LIMIT 1")) {
            select.setString(1, key);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? Optional.of(reference(row.getLong(1))) : Optional.empty();
            }
        }
    }

    private static String reference(long number) {
        return "bk_" + number;
    }
}
