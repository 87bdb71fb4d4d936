package dev.hapax.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Projections in a real database: a row for each event that was handed over, in the order in which it was. */
@Tag("slow")
class ProjectionContractTest {

    private Shop shop;
    private EventStream account;
    private Projection projection;

    @BeforeEach
    void open() {
        shop = Shop.open();
        account = shop.hapax.events("account/1");
        projection = projection(shop.hapax, 500);
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private static Projection projection(Hapax hapax, int page) {
        return hapax.projection("lines")
                .streams("account/")
                .page(page)
                .handle(String.class, (body, event, connection) -> line(connection, event.stream(), body))
                .open();
    }

    private static void line(Connection connection, String stream, String body) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO handled (message_key, body) VALUES (?, ?)")) {
            insert.setString(1, stream);
            insert.setString(2, body);
            insert.executeUpdate();
        }
    }

    private long append(EventStream stream, String body) {
        return stream.append(Shop.newKey()).expectingAny().events(body).value();
    }

    private long lines() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM handled");
    }

    private String all() throws SQLException {
        try (Connection connection = shop.database.dataSource().getConnection();
                PreparedStatement select =
                        connection.prepareStatement("SELECT string_agg(body, ' ' ORDER BY nth) FROM handled");
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void each_event_is_in_the_rows_once_and_other_streams_are_passed_over() throws Exception {
        append(account, "a");
        append(shop.hapax.events("order/1"), "other");
        append(account, "b");
        assertThat(projection.catchUp()).isEqualTo(2);
        assertThat(projection.catchUp()).isZero();
        append(account, "c");
        assertThat(projection(shop.hapax, 500).catchUp()).isEqualTo(1);
        assertThat(all()).isEqualTo("a b c");
        assertThat(projection.position()).isEqualTo(4);
    }

    @Test
    void an_event_of_a_slow_transaction_is_not_skipped_and_nobody_waits_for_it() throws Exception {
        try (Connection slow = shop.pool.getConnection()) {
            slow.setAutoCommit(false);
            shop.hapax
                    .events("account/slow")
                    .on(slow)
                    .append(Shop.newKey())
                    .expecting(0)
                    .events("slow");
            append(account, "quick");
            assertThat(projection.catchUp()).isEqualTo(1);
            assertThat(projection.catchUp()).isZero();
            assertThat(projection.position()).isZero();
            slow.commit();
        }
        assertThat(projection.catchUp()).isEqualTo(1);
        assertThat(all()).isEqualTo("quick slow");
        assertThat(projection.position()).isEqualTo(2);
    }

    @Test
    void what_was_rolled_back_is_given_up() throws Exception {
        try (Connection connection = shop.pool.getConnection()) {
            connection.setAutoCommit(false);
            shop.hapax
                    .events("account/gone")
                    .on(connection)
                    .append(Shop.newKey())
                    .expecting(0)
                    .events("gone");
            connection.rollback();
        }
        append(account, "a");
        assertThat(projection.catchUp()).isEqualTo(1);
        assertThat(projection.catchUp()).isZero();
        assertThat(projection.position()).isEqualTo(2);
    }

    @Test
    void a_replay_makes_the_same_rows_again() throws Exception {
        append(account, "a");
        append(account, "b");
        append(account, "c");
        projection.catchUp();
        projection.replayFrom(0, ProjectionContractTest::clear);
        assertThat(lines()).isZero();
        assertThat(projection.catchUp()).isEqualTo(3);
        assertThat(all()).isEqualTo("a b c");
        long second = account.read(2, 1).getFirst().position();
        projection.replayFrom(second, connection -> delete(connection, "DELETE FROM handled WHERE body > 'b'"));
        assertThat(projection.catchUp()).isEqualTo(1);
        assertThat(all()).isEqualTo("a b c");
        assertThatThrownBy(() -> projection.replayFrom(99, ProjectionContractTest::clear))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("would skip events");
        assertThatThrownBy(() -> projection.replayFrom(0, connection -> {
                    clear(connection);
                    throw new SQLException("not now");
                }))
                .isInstanceOf(SQLException.class)
                .hasMessage("not now");
        assertThat(all()).isEqualTo("a b c");
        assertThat(projection.catchUp()).isZero();
    }

    private static void clear(Connection connection) throws SQLException {
        delete(connection, "DELETE FROM handled");
    }

    private static void delete(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        }
    }

    @Test
    void effects_of_a_handler_beside_its_rows_are_refused() throws Exception {
        append(account, "a");
        Hapax hapax = shop.hapax;
        Key key = Shop.newKey();
        refused("operation", () -> hapax.once(key).run(tx -> tx.publish("topic", "key", "body")));
        refused("operation", () -> hapax.once(key, String.class).call(tx -> "answer"));
        refused("operation", () -> hapax.onceAll(List.of("a"), item -> key).run((fresh, tx) -> {}));
        refused("operation", () -> account.append(key).expectingAny().events("b"));
        refused("operation", () -> hapax.claim(key).perform(call -> "done").settleWithin(Duration.ofSeconds(1)));
        refused("saga", () -> hapax.sagas().start("refund", key, "input"));
        try (Connection connection = shop.pool.getConnection()) {
            connection.setAutoCommit(false);
            hapax.once(key).on(connection).run(tx -> refused("message", () -> tx.publish("topic", "key", "body")));
            connection.rollback();
        }
        assertThat(lines()).isZero();
        assertThat(shop.database.queryLong(
                        "SELECT (SELECT count(*) FROM hapax.log) + (SELECT count(*) FROM hapax.claim)"
                                + " + (SELECT count(*) FROM hapax.saga) + (SELECT count(*) FROM hapax.marker WHERE key = '"
                                + key.id() + "')"))
                .isZero();
    }

    /** What a handler may try. */
    @FunctionalInterface
    private interface Effect {
        void run() throws Exception;
    }

    private void refused(String what, Effect effect) {
        Projection trying = shop.hapax
                .projection("trying")
                .handle(String.class, (body, event, connection) -> effect.run())
                .open();
        assertThatThrownBy(trying::catchUp)
                .isInstanceOf(ProjectionFailedException.class)
                .cause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(what)
                .hasMessageContaining("is refused: projection trying handles events on this thread");
    }

    @Test
    void a_failing_handler_stops_there_and_what_came_before_is_kept() throws Exception {
        append(account, "a");
        append(account, "b");
        append(account, "c");
        boolean[] broken = {true};
        Projection fragile = shop.hapax
                .projection("fragile")
                .handle(String.class, (body, event, connection) -> {
                    line(connection, event.stream(), body);
                    if (body.equals("c") && broken[0]) {
                        throw new IllegalArgumentException("no such line");
                    }
                })
                .open();
        for (int n = 0; n < 2; n++) {
            assertThatThrownBy(fragile::catchUp)
                    .isInstanceOf(ProjectionFailedException.class)
                    .hasMessageContaining("event 3 of stream account/1")
                    .hasRootCauseMessage("no such line");
        }
        assertThat(all()).isEqualTo("a b");
        broken[0] = false;
        assertThat(fragile.catchUp()).isEqualTo(1);
        assertThat(all()).isEqualTo("a b c");
    }

    @Test
    void processes_that_catch_up_while_others_append_hand_each_event_over_once_and_streams_in_order() throws Exception {
        int streams = 4;
        int each = 40;
        CountDownLatch start = new CountDownLatch(1);
        List<CompletableFuture<Long>> appending = new ArrayList<>();
        for (int s = 0; s < streams; s++) {
            EventStream stream = shop.hapax.events("account/" + s);
            appending.add(Shop.async(() -> {
                start.await();
                long version = 0;
                for (int n = 1; n <= each; n++) {
                    version = append(stream, String.valueOf(n));
                }
                return version;
            }));
        }
        List<CompletableFuture<Long>> catching = new ArrayList<>();
        try (Hapax other = Shop.builder(shop.pool).open()) {
            for (Hapax process : List.of(shop.hapax, other)) {
                Projection here = projection(process, 7);
                catching.add(Shop.async(() -> {
                    start.await();
                    long handled = 0;
                    while (appending.stream().anyMatch(one -> !one.isDone())) {
                        handled += here.catchUp();
                    }
                    return handled + here.catchUp();
                }));
            }
            start.countDown();
            long handled = 0;
            for (CompletableFuture<Long> one : appending) {
                one.get();
            }
            for (CompletableFuture<Long> one : catching) {
                handled += one.get();
            }
            handled += projection.catchUp();
            assertThat(handled).isEqualTo((long) streams * each);
        }
        assertThat(lines()).isEqualTo((long) streams * each);
        assertThat(
                        shop.database.queryLong(
                                "SELECT count(*) FROM (SELECT CAST(body AS int) AS body,"
                                        + " row_number() OVER (PARTITION BY message_key ORDER BY nth) AS place FROM handled) l WHERE body <> place"))
                .as("lines out of their stream's order")
                .isZero();
    }
}
