package dev.hapax.docs;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/** A repository as any service has one: plain JDBC, and no word of Hapax. */
final class Orders {

    // tag::insert[]
    void insert(Connection connection, Order order) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO orders (id, customer, total) VALUES (?, ?, ?)")) {
            insert.setString(1, order.id());
            insert.setString(2, order.customer());
            insert.setBigDecimal(3, order.total());
            insert.executeUpdate();
        }
    }
    // end::insert[]

    void insertAll(Connection connection, List<Order> all) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO orders (id, customer, total) VALUES (?, ?, ?)")) {
            for (Order order : all) {
                insert.setString(1, order.id());
                insert.setString(2, order.customer());
                insert.setBigDecimal(3, order.total());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }
}
