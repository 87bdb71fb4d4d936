package dev.hapax.consume;

import dev.hapax.Shop;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A database, a consumer of its log, and a table in which what it handled is counted. */
abstract class ConsumerFixture {

    static final String TOPIC = "orders.placed";

    Shop shop;

    @BeforeEach
    void open() {
        shop = Shop.open();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    void publish(String messageKey, String body) throws SQLException {
        shop.hapax.once(Shop.newKey()).run(tx -> tx.publish(TOPIC, messageKey, body));
    }

    ConsumerBuilder consumer(String name) {
        return shop.hapax.consumer(name).topic(TOPIC).backoff(Duration.ofMillis(20), Duration.ofMillis(100));
    }

    ConsumerBuilder writing(String name) {
        return consumer(name)
                .handle(
                        String.class,
                        (body, tx) -> handled(tx.connection(), tx.message().messageKey(), body));
    }

    static void handled(Connection connection, String messageKey, String body) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO handled (message_key, body) VALUES (?, ?)")) {
            insert.setString(1, messageKey);
            insert.setString(2, body);
            insert.executeUpdate();
        }
    }

    /** The rows in the target, in the order of their commits. */
    List<String> handled(String messageKey) throws SQLException {
        List<String> bodies = new ArrayList<>();
        try (Connection connection = shop.pool.getConnection();
                PreparedStatement select =
                        connection.prepareStatement("SELECT body FROM handled WHERE message_key = ? ORDER BY nth")) {
            select.setString(1, messageKey);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    bodies.add(row.getString(1));
                }
            }
        }
        return bodies;
    }

    long count() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM handled");
    }
}
