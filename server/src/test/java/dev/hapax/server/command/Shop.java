package dev.hapax.server.command;

import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.consume.Consumer;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A service on a database of its own: it publishes orders, and its consumer {@code billing} writes them down in {@code billed}, but for the broken ones. */
final class Shop implements AutoCloseable {

    static final String SCOPE = "orders.place";
    static final String CONSUMER = "billing";

    final TestDatabase database = EmbeddedDatabase.shared().createDatabase();
    final Shell shell = Shell.on(database.jdbcUrl());
    private final Set<String> broken = ConcurrentHashMap.newKeySet();
    private Hapax hapax;

    Shop() throws SQLException {
        Schema.on(database.dataSource()).apply();
        database.execute("CREATE TABLE billed (at serial PRIMARY KEY, customer text NOT NULL, body text NOT NULL)");
    }

    Hapax open() {
        if (hapax == null) {
            hapax = Hapax.on(database.pooled(6)).name("shop").open();
        }
        return hapax;
    }

    void breaks(String body) {
        broken.add(body);
    }

    void mends(String body) {
        broken.remove(body);
    }

    void order(String customer, String body) {
        open().once(Key.generate(SCOPE)).run(tx -> tx.publish("orders", customer, body));
    }

    Consumer start() {
        return start(CONSUMER);
    }

    Consumer start(String name) {
        return open().consumer(name)
                .topic("orders")
                .handle(String.class, (body, tx) -> {
                    if (broken.contains(body)) {
                        throw new IllegalStateException("no price for " + body);
                    }
                    bill(tx.connection(), name, tx.message().messageKey(), body);
                })
                .quarantineAfter(2)
                .backoff(Duration.ofMillis(1), Duration.ofMillis(10))
                .lease(Duration.ofMillis(500))
                .start();
    }

    static void bill(Connection connection, String consumer, String customer, String body) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO billed (customer, body) VALUES (?, ?)")) {
            insert.setString(1, consumer.equals(CONSUMER) ? customer : consumer + "/" + customer);
            insert.setString(2, body);
            insert.executeUpdate();
        }
    }

    /** What was billed to a customer, in order. */
    List<String> billed(String customer) {
        return texts("SELECT body FROM billed WHERE customer = '" + customer + "' ORDER BY at");
    }

    void awaitBilled(String customer, String... bodies) {
        await().until(() -> billed(customer).equals(List.of(bodies)));
    }

    /** Waits until so many are held in a state; returns their ids, oldest first. */
    List<Long> awaitHeld(String state, int count) {
        String sql = "SELECT id FROM hapax.held WHERE state = '" + state + "' ORDER BY lane, number";
        await().until(() -> texts(sql).size() == count);
        return texts(sql).stream().map(Long::valueOf).toList();
    }

    long number(String sql) {
        return Long.parseLong(texts(sql).getFirst());
    }

    List<String> texts(String sql) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            List<String> texts = new ArrayList<>();
            while (row.next()) {
                texts.add(row.getString(1));
            }
            return texts;
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    @Override
    public void close() {
        if (hapax != null) {
            hapax.close();
        }
        database.close();
    }
}
