package dev.hapax.once;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.RetryException;
import dev.hapax.Scope;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import dev.hapax.Shop.Receipt;
import dev.hapax.StoreException;
import dev.hapax.TooEarlyException;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OnceContractTest {

    private static Shop shop;

    @BeforeAll
    static void open() {
        shop = Shop.open(builder -> builder.scope(
                        Scope.of("short").remember(Duration.ofDays(7)).keepOutcomes(Duration.ofMinutes(1)))
                .attempts(3));
    }

    @AfterAll
    static void close() {
        shop.close();
    }

    private static Verdict apply(Key key) throws SQLException {
        return shop.hapax.once(key).run(tx -> Shop.effect(tx.connection(), key.id()));
    }

    @Test
    void a_repeat_does_nothing() throws SQLException {
        Key key = Shop.newKey();
        assertThat(apply(key)).isEqualTo(Verdict.APPLIED);
        assertThat(apply(key)).isEqualTo(Verdict.REPLAYED);
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void a_timeless_key_is_applied_once() throws SQLException {
        Key key = Key.of("orders", Shop.newId());
        assertThat(key.time()).isEmpty();
        assertThat(apply(key)).isEqualTo(Verdict.APPLIED);
        assertThat(apply(key)).isEqualTo(Verdict.REPLAYED);
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void scope_and_producer_tell_equal_ids_apart() throws SQLException {
        String id = Shop.newId();
        apply(Key.of("orders", id));
        apply(Key.of("returns", id));
        apply(Key.of("orders", id).producer("other"));
        // The service itself is the producer of a key that names none.
        assertThat(apply(Key.of("orders", id).producer("shop"))).isEqualTo(Verdict.REPLAYED);
        assertThat(shop.effects(id)).isEqualTo(3);
    }

    @Test
    void a_repeat_gets_the_first_answer() throws SQLException {
        Key key = Shop.newKey();
        Result<Receipt> first = shop.hapax.once(key, Receipt.class).call(tx -> new Receipt("first"));
        Result<Receipt> second = shop.hapax.once(key, Receipt.class).call(tx -> new Receipt("second"));
        assertThat(first).isEqualTo(new Result.Applied<>(new Receipt("first")));
        assertThat(second).isEqualTo(new Result.Replayed<>(Optional.of(new Receipt("first"))));
        assertThat(second.value()).isEqualTo(new Receipt("first"));
    }

    @Test
    void a_timeless_key_gets_its_first_answer_too() {
        Key key = Key.of("orders", Shop.newId());
        shop.hapax.once(key, String.class).call(tx -> "first");
        assertThat(shop.hapax.once(key, String.class).call(tx -> "second").value())
                .isEqualTo("first");
    }

    @Test
    void an_answer_that_is_no_longer_kept_is_said_to_be_gone() throws SQLException {
        Key key = Key.of("short", Shop.newId()).at(Instant.now().minus(Duration.ofMinutes(2)));
        shop.hapax.once(key, String.class).call(tx -> {
            Shop.effect(tx.connection(), key.id());
            return "first";
        });
        Result<String> again = shop.hapax.once(key, String.class).call(tx -> {
            Shop.effect(tx.connection(), key.id());
            return "second";
        });
        assertThat(again).isEqualTo(new Result.Replayed<>(Optional.empty()));
        assertThatThrownBy(again::value)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no longer kept");
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void nothing_is_stored_beyond_the_marker_without_an_answer() throws SQLException {
        Key key = Shop.newKey();
        apply(key);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.outcome_30 WHERE key = '" + key.id() + "'"))
                .isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.marker WHERE key = '" + key.id() + "'"))
                .isEqualTo(1);
    }

    @Test
    void another_request_under_the_same_key_is_refused() throws SQLException {
        Key key = Shop.newKey();
        Order order = new Order("1", 2);
        shop.hapax.once(key).matching(order).run(tx -> Shop.effect(tx.connection(), key.id()));
        assertThat(shop.hapax
                        .once(key)
                        .matching(Map.of("quantity", 2, "id", "1"))
                        .run(tx -> Shop.effect(tx.connection(), key.id())))
                .isEqualTo(Verdict.REPLAYED);
        assertThatThrownBy(() -> shop.hapax
                        .once(key)
                        .matching(Map.of("quantity", "2", "id", "1"))
                        .run(tx -> Shop.effect(tx.connection(), key.id())))
                .isInstanceOf(KeyReusedException.class)
                .hasMessageContaining(key.toString());
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void what_the_effect_throws_comes_out_unchanged_and_nothing_is_committed() throws SQLException {
        Key key = Shop.newKey();
        IOException failure = new IOException("no paper");
        assertThatThrownBy(() -> shop.hapax.once(key).run(tx -> {
                    Shop.effect(tx.connection(), key.id());
                    throw failure;
                }))
                .isSameAs(failure);
        assertThat(shop.effects(key)).isZero();
        assertThat(apply(key)).isEqualTo(Verdict.APPLIED);
    }

    @Test
    void an_effect_cannot_end_its_transaction() throws SQLException {
        Key key = Shop.newKey();
        for (AutoCloseableCall call : new AutoCloseableCall[] {
            Connection::commit, Connection::rollback, Connection::close, c -> c.setAutoCommit(true)
        }) {
            assertThatThrownBy(() -> shop.hapax.once(key).run(tx -> {
                        Shop.effect(tx.connection(), key.id());
                        call.on(tx.connection());
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("must not call");
        }
        assertThat(shop.effects(key)).isZero();
    }

    private interface AutoCloseableCall {
        void on(Connection connection) throws SQLException;
    }

    @Test
    void a_concurrent_repeat_waits_for_the_first_answer() throws Exception {
        Key key = Shop.newKey();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        CompletableFuture<Result<String>> first = Shop.async(() -> call(key, () -> {
            inside.countDown();
            go.await();
            return "first";
        }));
        inside.await();
        CompletableFuture<Result<String>> second = Shop.async(() -> call(key, () -> "second"));
        awaitBlocked();
        go.countDown();
        assertThat(first.get().isApplied()).isTrue();
        assertThat(second.get()).isEqualTo(new Result.Replayed<>(Optional.of("first")));
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    private static Result<String> call(Key key, java.util.concurrent.Callable<String> answer) {
        try {
            return shop.hapax.once(key, String.class).call(tx -> {
                Shop.effect(tx.connection(), key.id());
                return answer.call();
            });
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitBlocked() {
        org.awaitility.Awaitility.await()
                .until(() -> shop.database.queryLong(
                                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
                        > 0);
    }

    @Test
    void a_concurrent_repeat_is_refused_if_the_caller_does_not_wait() throws Exception {
        Key key = Shop.newKey();
        shop.hapax.once(key).run(tx -> {
            Shop.effect(tx.connection(), key.id());
            assertThatThrownBy(() -> shop.hapax
                            .once(key)
                            .refuseIfInProgress()
                            .run(other -> Shop.effect(other.connection(), key.id())))
                    .isInstanceOf(InProgressException.class);
        });
        assertThat(shop.hapax.once(key).refuseIfInProgress().run(tx -> Shop.effect(tx.connection(), key.id())))
                .isEqualTo(Verdict.REPLAYED);
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void a_wait_is_bounded() throws Exception {
        Key key = Shop.newKey();
        shop.hapax.once(key).run(tx -> {
            Shop.effect(tx.connection(), key.id());
            assertThatThrownBy(() -> shop.hapax
                            .once(key)
                            .waitUpTo(Duration.ofSeconds(1))
                            .run(other -> Shop.effect(other.connection(), key.id())))
                    .isInstanceOf(InProgressException.class)
                    .hasMessageContaining("1 s");
        });
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void a_waiting_repeat_applies_when_the_first_rolls_back() throws Exception {
        Key key = Shop.newKey();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        CompletableFuture<Result<String>> first = Shop.async(() -> call(key, () -> {
            inside.countDown();
            go.await();
            throw new IOException("failed");
        }));
        inside.await();
        CompletableFuture<Result<String>> second = Shop.async(() -> call(key, () -> "second"));
        awaitBlocked();
        go.countDown();
        assertThat(first).failsWithin(10, TimeUnit.SECONDS);
        assertThat(second.get()).isEqualTo(new Result.Applied<>("second"));
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                Connection.TRANSACTION_READ_COMMITTED,
                Connection.TRANSACTION_REPEATABLE_READ,
                Connection.TRANSACTION_SERIALIZABLE
            })
    void a_joined_transaction_commits_or_loses_marker_and_effect_together(int isolation) throws SQLException {
        Key key = Shop.newKey();
        try (Connection connection = shop.pool.getConnection()) {
            connection.setTransactionIsolation(isolation);
            connection.setAutoCommit(false);
            assertThat(joined(connection, key)).isEqualTo(Verdict.APPLIED);
            assertThat(joined(connection, key)).isEqualTo(Verdict.REPLAYED);
            connection.rollback();
            assertThat(shop.effects(key)).isZero();
            assertThat(joined(connection, key)).isEqualTo(Verdict.APPLIED);
            connection.commit();
            assertThat(joined(connection, key)).isEqualTo(Verdict.REPLAYED);
            connection.rollback();
        }
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    private static Verdict joined(Connection connection, Key key) throws SQLException {
        return shop.hapax.once(key).on(connection).run(tx -> Shop.effect(tx.connection(), key.id()));
    }

    @ParameterizedTest
    @ValueSource(ints = {Connection.TRANSACTION_REPEATABLE_READ, Connection.TRANSACTION_SERIALIZABLE})
    void a_snapshot_that_is_too_old_to_see_the_first_is_told_to_retry(int isolation) throws SQLException {
        Key key = Shop.newKey();
        try (Connection connection = shop.pool.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setTransactionIsolation(isolation);
            connection.setAutoCommit(false);
            statement.execute("SELECT count(*) FROM effect");
            apply(key);
            assertThatThrownBy(() -> joined(connection, key))
                    .isInstanceOf(RetryException.class)
                    .hasMessageContaining("40001");
            connection.rollback();
            assertThat(joined(connection, key)).isEqualTo(Verdict.REPLAYED);
            connection.rollback();
        }
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void a_joined_transaction_whose_effect_failed_can_only_be_rolled_back() throws SQLException {
        Key key = Shop.newKey();
        try (Connection connection = shop.pool.getConnection()) {
            connection.setAutoCommit(false);
            assertThatThrownBy(() -> shop.hapax.once(key).on(connection).run(tx -> {
                        Shop.effect(tx.connection(), key.id());
                        throw new IOException("half done");
                    }))
                    .isInstanceOf(IOException.class);
            // A caller that swallows the exception and commits all the same: some drivers tell, others roll back
            // silently.
            try {
                connection.commit();
            } catch (SQLException told) {
                assertThat(told.getMessage()).containsIgnoringCase("rollback");
            }
        }
        assertThat(shop.effects(key)).isZero();
        assertThat(apply(key)).isEqualTo(Verdict.APPLIED);
    }

    @Test
    void a_connection_without_a_transaction_is_not_joined() throws SQLException {
        try (Connection connection = shop.pool.getConnection()) {
            assertThatThrownBy(() -> shop.hapax.once(Shop.newKey()).on(connection))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("setAutoCommit(false)");
        }
    }

    @Test
    void one_statement_carries_marker_and_effect() throws SQLException {
        Key key = Shop.newKey();
        String sql = "INSERT INTO effect (id, amount) SELECT ?, ? FROM once";
        assertThat(shop.hapax.once(key).statement(sql, key.id(), 1)).isEqualTo(new Result.Applied<>(1L));
        assertThat(shop.hapax.once(key).statement(sql, key.id(), 1).isApplied()).isFalse();
        assertThat(shop.hapax
                        .once(key)
                        .refuseIfInProgress()
                        .statement(sql, key.id(), 1)
                        .isApplied())
                .isFalse();
        assertThat(shop.effects(key)).isEqualTo(1);

        Key update = Shop.newKey();
        String increment = "UPDATE effect SET amount = amount + 1 FROM once WHERE id = ?";
        assertThat(shop.hapax
                        .once(update)
                        .refuseIfInProgress()
                        .statement(increment, key.id())
                        .value())
                .isEqualTo(1L);
        assertThat(shop.hapax.once(update).statement(increment, key.id()).isApplied())
                .isFalse();
        assertThat(shop.database.queryLong("SELECT amount FROM effect WHERE id = '" + key.id() + "'"))
                .isEqualTo(2);
    }

    @Test
    void a_statement_that_ignores_its_marker_is_stopped_at_the_repeat() throws SQLException {
        Key key = Shop.newKey();
        String sql = "INSERT INTO effect (id, amount) VALUES (?, 1)";
        shop.hapax.once(key).statement(sql, key.id());
        assertThatThrownBy(() -> shop.hapax.once(key).statement(sql, key.id()))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("statement_must_read_from_once");
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void a_deadlock_is_tried_again() throws Exception {
        Key a = Shop.newKey();
        Key b = Shop.newKey();
        shop.database.execute("INSERT INTO effect (id, amount) VALUES ('row-a', 0), ('row-b', 0)");
        CountDownLatch both = new CountDownLatch(2);
        CompletableFuture<Boolean> one = Shop.async(() -> twoRows(a, "row-a", "row-b", both));
        CompletableFuture<Boolean> two = Shop.async(() -> twoRows(b, "row-b", "row-a", both));
        CompletableFuture.allOf(one, two).get(60, TimeUnit.SECONDS);
        assertThat(shop.database.queryLong("SELECT sum(amount) FROM effect WHERE id IN ('row-a', 'row-b')"))
                .isEqualTo(4);
    }

    private static boolean twoRows(Key key, String first, String second, CountDownLatch both) {
        try {
            shop.hapax.once(key).run(tx -> {
                add(tx.connection(), first);
                both.countDown();
                both.await();
                add(tx.connection(), second);
            });
            return true;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void add(Connection connection, String row) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE effect SET amount = amount + 1 WHERE id = '" + row + "'");
        }
    }

    @Test
    void a_constraint_that_fails_at_commit_is_told_and_nothing_is_applied() throws SQLException {
        shop.database.execute("CREATE TABLE deferred (id text UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        shop.database.execute("INSERT INTO deferred VALUES ('x')");
        Key key = Shop.newKey();
        assertThatThrownBy(() -> shop.hapax.once(key).run(tx -> {
                    try (Statement statement = tx.connection().createStatement()) {
                        statement.execute("INSERT INTO deferred VALUES ('x')");
                    }
                    Shop.effect(tx.connection(), key.id());
                }))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("23505");
        assertThat(shop.effects(key)).isZero();
    }

    @Test
    void a_key_from_the_future_is_refused() throws SQLException {
        Key key = Key.of("orders", Shop.newId()).at(Instant.now().plus(Duration.ofMinutes(6)));
        assertThatThrownBy(() -> apply(key))
                .isInstanceOf(TooEarlyException.class)
                .hasMessageContaining("PT5M");
        assertThat(apply(Key.of("orders", key.id()).at(Instant.now().plus(Duration.ofMinutes(4)))))
                .isEqualTo(Verdict.APPLIED);
    }

    @Test
    void a_repeat_leaves_no_dead_row() throws SQLException {
        Key key = Key.of("orders", Shop.newId());
        apply(key);
        shop.database.execute("VACUUM hapax.marker_timeless");
        for (int i = 0; i < 50; i++) {
            apply(key);
        }
        shop.database.execute("SELECT pg_stat_force_next_flush()");
        org.awaitility.Awaitility.await()
                .until(() -> shop.database.queryLong(
                                "SELECT n_dead_tup FROM pg_stat_user_tables WHERE schemaname = 'hapax' AND relname = 'marker_timeless'")
                        == 0);
    }
}
