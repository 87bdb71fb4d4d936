package dev.hapax.docs;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** A repository whose rows would show a repeat. */
final class Ledger {

    // tag::insert[]
    void insert(Connection connection, OrderPlaced placed) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO ledger (customer, order_id, amount) VALUES (?, ?, ?)")) {
            insert.setString(1, placed.customer());
            insert.setString(2, placed.order());
            insert.setBigDecimal(3, placed.total());
            insert.executeUpdate();
        }
    }
    // end::insert[]
}
