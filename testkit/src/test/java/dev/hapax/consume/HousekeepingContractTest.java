package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.PausedException;
import dev.hapax.Shop;
import dev.hapax.control.Control;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is done in the background: many delayed messages fall due at once, several processes move them, and pauses are seen meanwhile. */
class HousekeepingContractTest {

    private static final String KEY = "account-1";
    private static final int MESSAGES = 1_700;
    private static final int GATE = 4711;

    /** Who moves a message comes by this gate, after it has its number. */
    private static final String GATED =
            "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared("
                    + GATE + "); RETURN NEW; END $$;"
                    + " CREATE TRIGGER gate BEFORE INSERT ON hapax.log FOR EACH ROW EXECUTE FUNCTION gate()";

    private static final String AT_THE_GATE = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = "
            + GATE + " AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    private Shop shop;

    @BeforeEach
    void open() throws SQLException {
        shop = Shop.open(builder -> builder.housekeeping(false));
        shop.database.execute(
                "INSERT INTO hapax.delayed (id, due_at, lane, topic, message_key, type, scope, producer, key, body)"
                        + " SELECT gen_random_uuid(), clock_timestamp() - interval '1 hour' + i * interval '1 ms', "
                        + dev.hapax.internal.log.Lanes.of(KEY) + ", 'reminders', '" + KEY
                        + "', 'string', 's', 'p', i, 'x' FROM generate_series(1, " + MESSAGES + ") i");
        shop.database.execute(GATED);
    }

    @AfterEach
    void close() {
        shop.close();
    }

    @Test
    void two_processes_that_move_them_at_once_keep_the_order_in_which_they_fell_due() throws Exception {
        try (Hapax other = Shop.builder(shop.pool).housekeeping(false).open();
                Connection gate = closedGate()) {
            Future<Integer> first = Shop.async(shop.hapax::housekeep);
            await().until(() -> atTheGate() == 1);
            Future<Integer> second = Shop.async(other::housekeep);
            await().until(() -> second.isDone() || atTheGate() == 2);
            gate.rollback();
            first.get(30, TimeUnit.SECONDS);
            second.get(30, TimeUnit.SECONDS);
            other.housekeep();
        }
        assertThat(delayed()).isZero();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.log")).isEqualTo(MESSAGES);
        assertThat(
                        shop.database.queryLong(
                                "SELECT count(*) FROM (SELECT key::int AS nth, lag(key::int) OVER (ORDER BY number) AS before FROM hapax.log) m WHERE nth < before"))
                .as("messages behind one that fell due later")
                .isZero();
    }

    @Test
    void opening_does_not_wait_for_them_and_a_pause_is_seen_while_they_are_moved() throws Exception {
        try (Connection gate = closedGate();
                Hapax moving = Shop.async(() -> Shop.builder(shop.pool).open()).get(30, TimeUnit.SECONDS)) {
            await().until(() -> atTheGate() == 1);
            shop.hapax.control().pause(Control.Kind.SCOPE, "orders", "an audit", "me");
            await().atMost(Duration.ofSeconds(5)).until(() -> isPaused(moving));
            assertThat(atTheGate()).as("it is still being moved").isEqualTo(1);
            shop.hapax.control().resume(Control.Kind.SCOPE, "orders");
            await().atMost(Duration.ofSeconds(5)).until(() -> !isPaused(moving));
            gate.rollback();
            await().until(() -> delayed() == 0);
        }
    }

    /** A service must not be kept from closing by them. */
    @Test
    void who_closes_stops_after_the_batch_in_hand() throws Exception {
        try (Connection gate = closedGate()) {
            Hapax moving = Shop.async(() -> Shop.builder(shop.pool).open()).get(30, TimeUnit.SECONDS);
            await().until(() -> atTheGate() == 1);
            Future<?> closed = Shop.async(() -> {
                moving.close();
                return moving;
            });
            gate.rollback();
            assertThatCode(() -> closed.get(30, TimeUnit.SECONDS)).doesNotThrowAnyException();
        }
        assertThat(delayed() + shop.database.queryLong("SELECT count(*) FROM hapax.log"))
                .isEqualTo(MESSAGES);
    }

    @Test
    void pauses_are_seen_also_after_an_error_in_the_background() {
        AtomicReference<Error> error = new AtomicReference<>();
        try (Hapax other =
                Shop.builder(failing(shop.pool, error)).housekeeping(false).open()) {
            error.set(new OutOfMemoryError("as if it were so"));
            await().until(() -> error.get() == null);
            shop.hapax.control().pause(Control.Kind.SCOPE, "orders", "an audit", "me");
            await().atMost(Duration.ofSeconds(5)).until(() -> isPaused(other));
        }
    }

    /** A pool that fails the keeper once, each time that there is an error to fail with. */
    private static DataSource failing(DataSource pool, AtomicReference<Error> error) {
        return (DataSource) Proxy.newProxyInstance(
                DataSource.class.getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                    Error now =
                            Thread.currentThread().getName().startsWith("hapax-keeper") ? error.getAndSet(null) : null;
                    if (now != null) {
                        throw now;
                    }
                    return method.invoke(pool, arguments);
                });
    }

    private static boolean isPaused(Hapax hapax) {
        try {
            hapax.once(Shop.newKey()).run(tx -> {});
            return false;
        } catch (PausedException e) {
            return true;
        }
    }

    private Connection closedGate() throws SQLException {
        Connection gate = shop.database.dataSource().getConnection();
        gate.setAutoCommit(false);
        try (Statement statement = gate.createStatement()) {
            statement.execute("SELECT pg_advisory_xact_lock(" + GATE + ")");
        }
        return gate;
    }

    private long atTheGate() throws SQLException {
        return shop.database.queryLong(AT_THE_GATE);
    }

    private long delayed() throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM hapax.delayed");
    }
}
