package dev.hapax.once;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.StoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Marker and effect in one statement, which is stopped: what the caller is told depends on what it waited for. */
class StatementContractTest {

    private static final String TAKE = "UPDATE effect SET amount = amount - 1 FROM once WHERE id = ?";
    private static final Duration SHORT = Duration.ofSeconds(1);

    private static Shop shop;

    @BeforeAll
    static void open() {
        shop = Shop.open();
    }

    @AfterAll
    static void close() {
        shop.close();
    }

    @FunctionalInterface
    private interface Held {
        void run() throws SQLException;
    }

    /** Something that takes place while another transaction has done this. */
    private static void during(String sql, Held then) throws SQLException {
        try (Connection other = shop.database.dataSource().getConnection();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute(sql);
            then.run();
            other.rollback();
        }
    }

    private static String stock() throws SQLException {
        String id = Shop.newId();
        shop.database.execute("INSERT INTO effect (id, amount) VALUES ('" + id + "', 10)");
        return id;
    }

    private static String lock(String stock) {
        return "SELECT * FROM effect WHERE id = '" + stock + "' FOR UPDATE";
    }

    @Test
    void an_effect_that_waits_for_a_row_is_not_taken_for_a_key_in_progress() throws SQLException {
        String stock = stock();
        Key key = Shop.newKey();
        during(
                lock(stock),
                () -> assertThatThrownBy(
                                () -> shop.hapax.once(key).waitUpTo(SHORT).statement(TAKE, stock))
                        .isInstanceOf(StoreException.class)
                        .hasMessageContaining("waitUpTo")
                        .hasMessageContaining("1 s"));
        assertThat(shop.hapax.once(key).waitUpTo(SHORT).statement(TAKE, stock).isApplied())
                .isTrue();
    }

    @Test
    void a_key_that_another_transaction_applies_is_in_progress() throws SQLException {
        String stock = stock();
        Key key = Shop.newKey();
        shop.hapax
                .once(key)
                .run(tx -> assertThatThrownBy(
                                () -> shop.hapax.once(key).waitUpTo(SHORT).statement(TAKE, stock))
                        .isInstanceOf(InProgressException.class));
    }

    @Test
    void in_a_transaction_of_the_callers_it_is_told_the_same() throws SQLException {
        String stock = stock();
        Key key = Shop.newKey();
        try (Connection connection = shop.pool.getConnection()) {
            connection.setAutoCommit(false);
            during(
                    lock(stock),
                    () -> assertThatThrownBy(() -> shop.hapax
                                    .once(key)
                                    .on(connection)
                                    .waitUpTo(SHORT)
                                    .statement(TAKE, stock))
                            .isInstanceOf(StoreException.class));
            connection.rollback();
            shop.hapax
                    .once(key)
                    .run(tx -> assertThatThrownBy(() -> shop.hapax
                                    .once(key)
                                    .on(connection)
                                    .waitUpTo(SHORT)
                                    .statement(TAKE, stock))
                            .isInstanceOf(InProgressException.class));
            connection.rollback();
        }
    }

    @Test
    void a_lock_time_out_of_the_callers_is_no_key_in_progress() throws SQLException {
        String stock = stock();
        Key key = Shop.newKey();
        try (Connection connection = shop.pool.getConnection()) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET LOCAL lock_timeout = '50ms'");
            }
            during(
                    lock(stock),
                    () -> assertThatThrownBy(() -> shop.hapax
                                    .once(key)
                                    .on(connection)
                                    .refuseIfInProgress()
                                    .statement(TAKE, stock))
                            .isInstanceOf(StoreException.class));
            connection.rollback();
        }
    }
}
