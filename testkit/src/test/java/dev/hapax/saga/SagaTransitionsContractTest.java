package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.Shop.Order;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The table of transitions, as the database sees it: all that it allows are passed, and no other. */
@Tag("slow")
class SagaTransitionsContractTest extends SagaStage {

    /** Writes down each change of state, and with what a saga's row goes. */
    private static final String WATCH = """
            CREATE TABLE moved (saga uuid, before text, after text);
            CREATE FUNCTION watch_state() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO moved VALUES (OLD.id, OLD.state, CASE TG_OP WHEN 'UPDATE' THEN NEW.state END);
                RETURN NULL;
            END $$;
            CREATE TRIGGER watch_state AFTER UPDATE OF state ON hapax.saga FOR EACH ROW EXECUTE FUNCTION watch_state();
            CREATE TRIGGER watch_end AFTER DELETE ON hapax.saga FOR EACH ROW EXECUTE FUNCTION watch_state();""";

    private static final String MOVES = "SELECT DISTINCT before || '->' || after FROM ("
            + " SELECT before, coalesce(after, (SELECT e.state FROM hapax.saga_ended e WHERE e.id = m.saga)) AS after FROM moved m) x"
            + " WHERE before <> after";

    @BeforeEach
    void watch() throws SQLException {
        shop.database.execute(WATCH);
    }

    private Set<String> moves() throws SQLException {
        Set<String> all = new TreeSet<>();
        try (Connection connection = shop.database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(MOVES)) {
            while (row.next()) {
                all.add(row.getString(1));
            }
        }
        return all;
    }

    private static Set<String> allowed() {
        Set<String> all = new TreeSet<>();
        for (SagaState from : SagaState.values()) {
            for (SagaState to : SagaState.values()) {
                if (from != to && from.canBecome(to)) {
                    all.add(from + "->" + to);
                }
            }
        }
        return all;
    }

    private void complete(String name, Key which) {
        shop.hapax.sagas().complete(name, which, order, Void.class, LONG);
    }

    @Test
    void each_transition_that_the_table_allows_is_passed_and_no_other() throws SQLException {
        shop.hapax.saga("sleeps", Order.class).run((saga, given) -> saga.sleep("night", Duration.ofMillis(5)));
        complete("sleeps", Shop.newKey());
        failsAndIsUndone();
        isCancelled();
        isStuckTwice();
        isStuckGoingForward();
        childIsUndone();

        assertThat(moves()).isEqualTo(allowed());
    }

    @Test
    void the_database_knows_the_same_table() throws SQLException {
        Set<String> accepted = new TreeSet<>();
        for (SagaState from : SagaState.values()) {
            for (SagaState to : SagaState.values()) {
                shop.database.execute(
                        "INSERT INTO hapax.saga (id, started_at, due_at, definition, day, scope, producer, key, input_type, input, root,"
                                + " stuck_because, state, owner, cause) SELECT gen_random_uuid(), now(), 'infinity', 1000, current_date, 's', 'p', 'k', 'text', '',"
                                + " gen_random_uuid(), 'because', " + held(from));
                try {
                    shop.database.execute("UPDATE hapax.saga SET (state, owner, cause) = (SELECT " + held(to) + ")");
                    if (from != to) {
                        accepted.add(from + "->" + to);
                    }
                } catch (SQLException refused) {
                    assertThat(refused.getMessage()).contains("saga_state");
                }
                shop.database.execute("TRUNCATE hapax.saga");
            }
        }
        assertThat(accepted).isEqualTo(allowed());
    }

    /** A state, and the owner and cause that fit it. */
    private static String held(SagaState state) {
        boolean caused = state != SagaState.RUNNING && state != SagaState.WAITING && state != SagaState.COMPLETED;
        return "'" + state + "', " + (state == SagaState.RUNNING ? "gen_random_uuid()" : "CAST(NULL AS uuid)") + ", "
                + (caused ? "'CANCELLED'" : "NULL");
    }

    private void failsAndIsUndone() {
        shop.hapax.saga("fails", Order.class).retry(SagaRetry.none()).run((saga, given) -> {
            saga.step("a", tx -> effect(tx, "a"))
                    .undo(tx -> effect(tx, "undo-a"))
                    .run();
            throw new IllegalStateException("no");
        });
        complete("fails", Shop.newKey());
    }

    private void isCancelled() {
        shop.hapax.saga("waits", Order.class).run((saga, given) -> {
            saga.step("a", tx -> effect(tx, "a"))
                    .undo(tx -> effect(tx, "undo-a"))
                    .run();
            saga.waitFor("never", String.class, Duration.ofDays(1));
        });
        shop.hapax.sagas().start("waits", key, order);
        await().atMost(LONG).until(() -> stored("waits").state() == SagaState.WAITING);
        shop.hapax.sagas().cancel("waits", key, "no");
        endOf("waits", Void.class);
    }

    private void isStuckTwice() {
        AtomicBoolean open = new AtomicBoolean();
        shop.hapax
                .saga("stuck", Order.class)
                .retry(SagaRetry.none())
                .retryUndo(QUICK)
                .run((saga, given) -> {
                    saga.step("a", tx -> effect(tx, "a"))
                            .undo(tx -> {
                                if (!open.get()) {
                                    throw new IllegalStateException("closed");
                                }
                            })
                            .run();
                    throw new IllegalStateException("no");
                });
        complete("stuck", key);
        open.set(true);
        operator().retry(stored("stuck").id(), new SagaOperator.Ruling("open", "ann"));
        endOf("stuck", Void.class);
    }

    private void isStuckGoingForward() {
        AtomicBoolean mended = new AtomicBoolean();
        shop.hapax.saga("changed", Order.class).run((saga, given) -> {
            if (!mended.get()) {
                saga.step("described", tx -> effect(tx, "a"));
            }
        });
        complete("changed", key);
        mended.set(true);
        operator().retry(stored("changed").id(), new SagaOperator.Ruling("mended", "ann"));
        endOf("changed", Void.class);
    }

    private void childIsUndone() {
        shop.hapax
                .saga("child", Order.class)
                .run((saga, given) -> saga.step("a", tx -> effect(tx, "a"))
                        .undo(tx -> effect(tx, "undo-a"))
                        .run());
        shop.hapax.saga("parent", Order.class).run((saga, given) -> {
            saga.child("child", "child", given, Void.class);
            throw new IllegalStateException("no");
        });
        complete("parent", Shop.newKey());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "state = 'RUNNING', owner = NULL",
                "state = 'WAITING', owner = gen_random_uuid()",
                "state = 'COMPENSATING', cause = NULL",
                "state = 'STUCK', stuck_because = NULL",
                "state = 'COMPLETED', owner = NULL",
                "state = 'CANCELLED', owner = NULL, cause = 'CANCELLED'",
                "state = 'ASLEEP'",
            })
    void the_database_refuses_states_that_do_not_hold_together(String change) {
        shop.hapax
                .saga("waits", Order.class)
                .run((saga, given) -> saga.waitFor("never", String.class, Duration.ofDays(1)));
        shop.hapax.sagas().start("waits", key, order);
        await().atMost(LONG).until(() -> stored("waits").state() == SagaState.WAITING);

        assertThatThrownBy(() -> shop.database.execute("UPDATE hapax.saga SET " + change))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("saga_state");
    }
}
