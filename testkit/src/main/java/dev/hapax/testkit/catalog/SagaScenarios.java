package dev.hapax.testkit.catalog;

import dev.hapax.Hapax;
import dev.hapax.Transaction;
import dev.hapax.internal.saga.SteppedSagas;
import dev.hapax.saga.SagaRetry;
import dev.hapax.saga.Sagas;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.Operation;
import dev.hapax.testkit.proof.Scenario;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** Sagas: forward, backward, asleep, signalled. Each step's and each compensation's effect is counted. */
final class SagaScenarios {

    private static final String EFFECT = "CREATE TABLE saga_effect (id text NOT NULL, what text NOT NULL)";

    /** No owner is replaced while its lease runs. */
    private static final String[] WATCHED = {EFFECT, """
            CREATE FUNCTION proof.watch_saga() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO proof.robbed VALUES (OLD.key, -1, OLD.owner, NEW.owner);
                RETURN NULL;
            END $$;
            CREATE TRIGGER watch_saga AFTER UPDATE ON hapax.saga FOR EACH ROW
            WHEN (OLD.owner IS NOT NULL AND NEW.owner IS NOT NULL AND NEW.owner <> OLD.owner AND OLD.due_at > clock_timestamp())
            EXECUTE FUNCTION proof.watch_saga();"""};

    /** What is stuck waits for a person. */
    private static final String UNFINISHED =
            "SELECT count(*) FROM hapax.saga WHERE state IN ('RUNNING', 'WAITING', 'COMPENSATING')";

    private static final String LEASES = "UPDATE hapax.saga SET due_at = '-infinity' WHERE id IN"
            + " (SELECT id FROM hapax.saga WHERE owner IS NOT NULL FOR UPDATE SKIP LOCKED)";
    private static final String STEPS_DUE =
            "UPDATE hapax.saga_step SET due_at = clock_timestamp() WHERE due_at > clock_timestamp() AND saga IN"
                    + " (SELECT id FROM hapax.saga WHERE owner IS NULL FOR UPDATE SKIP LOCKED)";
    private static final String SAGAS_DUE =
            "UPDATE hapax.saga SET due_at = clock_timestamp() WHERE id IN (SELECT id FROM hapax.saga"
                    + " WHERE owner IS NULL AND due_at > clock_timestamp() AND due_at < 'infinity' FOR UPDATE SKIP LOCKED)";
    static final SagaRetry QUICK = SagaRetry.attempts(3).backoff(Duration.ofMillis(1), Duration.ofMillis(1));
    static final String NAME = "fulfil";

    private SagaScenarios() {}

    /** A service whose sagas are stepped by hand. */
    record Service(Node node, Hapax hapax, SteppedSagas rounds) implements AutoCloseable {

        @Override
        public void close() {
            hapax.close();
        }
    }

    static List<Scenario<?>> all() {
        List<Scenario<?>> all = new ArrayList<>(List.of(forward(), compensation(), sleep(), signal(), retry()));
        all.addAll(SagaFamilyScenarios.all());
        return all;
    }

    private static Service open(Node node, BiConsumer<Node, Hapax> definition) {
        Hapax hapax = OnceScenarios.open(node);
        SteppedSagas rounds = SteppedSagas.of(hapax.sagas());
        definition.accept(node, hapax);
        return new Service(node, hapax, rounds);
    }

    private static Scenario<Service> scenario(String name, Consumer<Hapax> definition, String... counted) {
        return scenario(name, (node, hapax) -> definition.accept(hapax), counted);
    }

    static Scenario<Service> scenario(String name, BiConsumer<Node, Hapax> definition, String... counted) {
        Scenario<Service> scenario = Scenario.of(name, node -> open(node, definition))
                .tables(WATCHED)
                .operations(1, SagaScenarios::complete)
                .background(service -> service.rounds().work())
                .unfinished(UNFINISHED)
                .leasesRunOutBy(LEASES)
                .timePassesBy(STEPS_DUE)
                .timePassesBy(SAGAS_DUE)
                .invariant("every saga comes to its end", SagaScenarios::ended);
        for (String what : counted) {
            scenario.counts(what, "SELECT id, count(*) FROM saga_effect WHERE what = '" + what + "' GROUP BY id");
        }
        return scenario;
    }

    private static void complete(Service service, Operation operation) {
        service.hapax()
                .sagas()
                .complete(NAME, OnceScenarios.key(operation), operation.id(), String.class, Duration.ZERO);
    }

    private static List<String> ended(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT key, state FROM hapax.saga");
                ResultSet row = select.executeQuery()) {
            List<String> found = new ArrayList<>();
            while (row.next()) {
                found.add("the saga of " + row.getString(1) + " is still " + row.getString(2));
            }
            return found;
        }
    }

    static void effect(Transaction tx, String id, String what) throws SQLException {
        try (PreparedStatement insert =
                tx.connection().prepareStatement("INSERT INTO saga_effect (id, what) VALUES (?, ?)")) {
            insert.setString(1, id);
            insert.setString(2, what);
            insert.executeUpdate();
        }
    }

    /** Three steps and an answer that is made of the first one's result. */
    static Scenario<Service> forward() {
        return scenario(
                "saga-forward",
                hapax -> hapax.saga(NAME, String.class).call(String.class, (saga, id) -> {
                    String reserved = saga.step("reserve", String.class, tx -> {
                                effect(tx, id, "reserve");
                                return id;
                            })
                            .call();
                    saga.step("pay", tx -> effect(tx, reserved, "pay")).run();
                    saga.step("ship", tx -> effect(tx, reserved, "ship")).run();
                    return reserved;
                }),
                "reserve",
                "pay",
                "ship");
    }

    /** Two steps that are done, a third that fails, two compensations. */
    static Scenario<Service> compensation() {
        return scenario(
                "saga-compensation",
                hapax -> hapax.saga(NAME, String.class).retry(SagaRetry.none()).run((saga, id) -> {
                    String reserved = saga.step("reserve", String.class, tx -> {
                                effect(tx, id, "reserve");
                                return id;
                            })
                            .undo((result, tx) -> effect(tx, result, "undo-reserve"))
                            .call();
                    saga.step("pay", tx -> effect(tx, reserved, "pay"))
                            .undo(tx -> effect(tx, reserved, "undo-pay"))
                            .run();
                    saga.step("ship", tx -> {
                                effect(tx, id, "ship");
                                throw new IllegalStateException("no truck");
                            })
                            .run();
                }),
                "reserve",
                "pay",
                "undo-reserve",
                "undo-pay");
    }

    /** A sleep between two steps: another process may be the one that wakes it. */
    static Scenario<Service> sleep() {
        return scenario(
                "saga-sleep",
                hapax -> hapax.saga(NAME, String.class).run((saga, id) -> {
                    saga.step("reserve", tx -> effect(tx, id, "reserve")).run();
                    saga.step("pay", tx -> effect(tx, id, "pay")).run();
                    saga.sleep("night", Duration.ofHours(8));
                    saga.step("ship", tx -> effect(tx, id, "ship")).run();
                }),
                "reserve",
                "pay",
                "ship");
    }

    /** A signal, sent with each try of the client's, and taken once. */
    static Scenario<Service> signal() {
        return scenario(
                        "saga-signal",
                        hapax -> hapax.saga(NAME, String.class).run((saga, id) -> {
                            saga.step("reserve", tx -> effect(tx, id, "reserve"))
                                    .run();
                            String paid = saga.waitFor("paid", String.class, Duration.ofDays(300))
                                    .orElse("nobody");
                            saga.step("ship", tx -> effect(tx, paid, "ship")).run();
                        }),
                        "reserve")
                .counts(
                        "ship",
                        "SELECT id, count(*) FROM saga_effect WHERE what = 'ship' AND id <> 'nobody' GROUP BY id")
                .operations(1, (service, operation) -> {
                    Sagas sagas = service.hapax().sagas();
                    sagas.start(NAME, OnceScenarios.key(operation), operation.id());
                    sagas.signal(NAME, OnceScenarios.key(operation), "paid", "1", operation.id());
                });
    }

    /** A step whose first try fails after it has written something. */
    static Scenario<Service> retry() {
        return scenario(
                "saga-retry",
                hapax -> hapax.saga(NAME, String.class).retry(QUICK).run((saga, id) -> {
                    saga.step("reserve", tx -> effect(tx, id, "reserve")).run();
                    saga.step("pay", tx -> {
                                effect(tx, id, "pay");
                                if (isFirstTry(tx)) {
                                    throw new IllegalStateException("the first try fails");
                                }
                            })
                            .run();
                }),
                "reserve",
                "pay");
    }

    private static boolean isFirstTry(Transaction tx) throws SQLException {
        try (PreparedStatement select = tx.connection()
                        .prepareStatement("SELECT EXISTS (SELECT FROM hapax.saga_step WHERE state = 'TRYING')");
                ResultSet row = select.executeQuery()) {
            row.next();
            return !row.getBoolean(1);
        }
    }
}
