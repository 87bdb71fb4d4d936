package dev.hapax.saga;

import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.Transaction;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What the tests of sagas stand on: a service, an order, and effects that are counted in the target. */
abstract class SagaStage {

    static final Duration LONG = Duration.ofSeconds(20);
    static final SagaRetry QUICK = SagaRetry.attempts(3).backoff(Duration.ofMillis(1), Duration.ofMillis(5));

    Shop shop;
    final Key key = Shop.newKey();
    final Order order = new Order(key.id(), 2);

    @BeforeEach
    void open() {
        shop = Shop.open();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    void effect(Transaction tx, String what) throws SQLException {
        Shop.effect(tx.connection(), what + "-" + key.id());
    }

    long effects(String what) throws SQLException {
        return shop.effects(what + "-" + key.id());
    }

    /** How often each of them took effect. */
    List<Long> counted(String... whats) {
        return Stream.of(whats)
                .map(what -> {
                    try {
                        return effects(what);
                    } catch (SQLException e) {
                        throw new IllegalStateException(e);
                    }
                })
                .toList();
    }

    SagaOperator operator() {
        return shop.hapax.sagas().operator();
    }

    SagaOperator.Stored stored(String name) {
        return operator().find(key.id()).stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    <T> SagaResult<T> complete(String name, Class<T> answer) {
        return shop.hapax.sagas().complete(name, key, order, answer, LONG);
    }

    <T> SagaResult<T> endOf(String name, Class<T> answer) {
        return shop.hapax.sagas().await(name, key, answer, LONG);
    }
}
