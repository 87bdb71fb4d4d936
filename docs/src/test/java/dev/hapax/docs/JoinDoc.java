package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.once.Verdict;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class JoinDoc {

    private final Orders orders = new Orders();
    private ShopDatabase shop;
    private Hapax hapax;

    @BeforeEach
    void open() throws SQLException {
        shop = ShopDatabase.create();
        hapax = shop.service().open();
    }

    @AfterEach
    void close() {
        hapax.close();
        shop.close();
    }

    @Test
    void marker_and_effect_commit_with_the_caller() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        assertThat(place(shop.pool, order)).isEqualTo(Verdict.APPLIED);
        assertThat(place(shop.pool, order)).isEqualTo(Verdict.REPLAYED);
        assertThat(shop.orders()).isEqualTo(1);
    }

    // tag::join[]
    Verdict place(DataSource dataSource, Order order) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            try {
                Verdict verdict = hapax.once(Key.of("orders.place", order.id()))
                        .on(connection)
                        .run(tx -> orders.insert(tx.connection(), order));
                connection.commit();
                return verdict;
            } catch (SQLException | RuntimeException e) {
                connection.rollback();
                throw e;
            }
        }
    }
    // end::join[]

    @Test
    void a_failed_effect_takes_the_whole_transaction_with_it() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        try (Connection connection = shop.pool.getConnection()) {
            connection.setAutoCommit(false);
            assertThatThrownBy(() -> hapax.once(Key.of("orders.place", order.id()))
                            .on(connection)
                            .run(tx -> {
                                orders.insert(tx.connection(), order);
                                throw new IOException("half done");
                            }))
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> orders.insert(connection, order))
                    .isInstanceOf(SQLException.class)
                    .extracting(e -> ((SQLException) e).getSQLState())
                    .isEqualTo("25P02");
            connection.rollback();
        }
        assertThat(shop.orders()).isZero();
    }
}
