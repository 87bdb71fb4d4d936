package dev.hapax.testkit.catalog;

import dev.hapax.claim.CallPolicy;
import dev.hapax.saga.SagaParallel;
import dev.hapax.saga.SagaResult;
import dev.hapax.saga.SagaRetry;
import dev.hapax.testkit.catalog.SagaScenarios.Service;
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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Sagas with children, with branches, with steps that are claims; and what two processes say that are in one step. */
final class SagaFamilyScenarios {

    private static final String BANK = "CREATE TABLE bank (nth bigserial, op text NOT NULL, key text NOT NULL)";
    private static final String TOLD = "CREATE TABLE told (op text NOT NULL, answer text NOT NULL)";
    private static final CallPolicy HONOURS_KEY =
            CallPolicy.idempotent().backoff(Duration.ofMillis(1), Duration.ofMillis(1));

    /** As often as it takes until a process lives that can do it. */
    private static final SagaRetry PATIENT =
            SagaRetry.attempts(1000).backoff(Duration.ofMillis(1), Duration.ofMillis(1));

    private SagaFamilyScenarios() {}

    static List<Scenario<?>> all() {
        return List.of(child(), branches(), claim(), oneResult());
    }

    /** A child that is completed, and undone since its parent fails after it. */
    static Scenario<Service> child() {
        return SagaScenarios.scenario(
                "saga-child",
                (node, hapax) -> {
                    hapax.saga("deliver", String.class).call(String.class, (saga, id) -> {
                        saga.step("pack", tx -> SagaScenarios.effect(tx, id, "pack"))
                                .undo(tx -> SagaScenarios.effect(tx, id, "undo-pack"))
                                .run();
                        return id;
                    });
                    hapax.saga(SagaScenarios.NAME, String.class)
                            .retry(SagaRetry.none())
                            .run((saga, id) -> {
                                saga.step("reserve", tx -> SagaScenarios.effect(tx, id, "reserve"))
                                        .undo(tx -> SagaScenarios.effect(tx, id, "undo-reserve"))
                                        .run();
                                saga.child("delivery", "deliver", id, String.class);
                                throw new IllegalStateException("changed its mind");
                            });
                },
                "reserve",
                "pack",
                "undo-pack",
                "undo-reserve");
    }

    /** Two branches of which one sleeps, and a step after both. */
    static Scenario<Service> branches() {
        return SagaScenarios.scenario(
                "saga-branches",
                (node, hapax) -> hapax.saga(SagaScenarios.NAME, String.class).run((saga, id) -> {
                    SagaParallel parallel = saga.parallel();
                    parallel.run("left", branch -> {
                        branch.step("pack", tx -> SagaScenarios.effect(tx, id, "pack"))
                                .run();
                        branch.sleep("night", Duration.ofHours(8));
                        branch.step("seal", tx -> SagaScenarios.effect(tx, id, "seal"))
                                .run();
                    });
                    parallel.run(
                            "right",
                            branch -> branch.step("bill", tx -> SagaScenarios.effect(tx, id, "bill"))
                                    .run());
                    parallel.join();
                    saga.step("ship", tx -> SagaScenarios.effect(tx, id, "ship"))
                            .run();
                }),
                "pack",
                "seal",
                "bill",
                "ship");
    }

    /** A charge at a bank that honours keys, refunded there since the saga fails after it. */
    static Scenario<Service> claim() {
        Set<Node> refused = ConcurrentHashMap.newKeySet();
        return SagaScenarios.scenario(
                        "saga-claim",
                        (node, hapax) -> hapax.saga(SagaScenarios.NAME, String.class)
                                .retry(SagaRetry.none())
                                .retryUndo(PATIENT)
                                .run((saga, id) -> {
                                    saga.claim(
                                                    "charge",
                                                    String.class,
                                                    call -> book(node, refused, "charge-" + id, call.idempotencyKey()))
                                            .policy(HONOURS_KEY)
                                            .retry(PATIENT)
                                            .settling((answer, tx) -> SagaScenarios.effect(tx, id, "booked"))
                                            .undoneBy((answer, call) ->
                                                    book(node, refused, "refund-" + id, call.idempotencyKey()))
                                            .undo((answer, tx) -> SagaScenarios.effect(tx, id, "unbooked"))
                                            .call();
                                    throw new IllegalStateException("changed its mind");
                                }),
                        "booked",
                        "unbooked")
                .tables(BANK)
                .background(service -> {
                    service.rounds().work();
                    if (refused.remove(service.node())) {
                        // A process to which the bank does not talk any more is replaced some time.
                        throw new IllegalStateException("the bank refuses this process");
                    }
                })
                .mutated("", Mutations.leasesOfClaimsOver())
                .counts("charges", entries("charge-"))
                .counts("refunds", entries("refund-"));
    }

    private static String entries(String prefix) {
        return "SELECT substr(op, " + (prefix.length() + 1) + "), count(*) FROM bank WHERE op LIKE '" + prefix
                + "%' GROUP BY op";
    }

    /** The bank's books: another system, so nothing that is done there passes a point of the process. */
    private static String book(Node node, Set<Node> refused, String op, String key) throws Exception {
        try {
            return book(node, op, key);
        } catch (Exception e) {
            refused.add(node);
            throw e;
        }
    }

    private static String book(Node node, String op, String key) throws Exception {
        return node.step("call", () -> {
            try (Connection connection = node.dataSource().getConnection()) {
                write(
                        connection.unwrap(Connection.class),
                        "INSERT INTO bank (op, key) SELECT ?, CAST(? AS text) WHERE NOT EXISTS (SELECT FROM bank WHERE op = ?)",
                        op,
                        key,
                        op);
            }
            return "booked " + op;
        });
    }

    private static void write(Connection connection, String sql, String... parameters) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                update.setString(i + 1, parameters[i]);
            }
            update.executeUpdate();
        }
    }

    /** The result of the step names the process that ran it. Whoever asks is told the one that is kept, whichever process has run the step besides. */
    static Scenario<Service> oneResult() {
        return SagaScenarios.scenario(
                        "saga-one-result",
                        (node, hapax) -> hapax.saga(SagaScenarios.NAME, String.class)
                                .call(String.class, (saga, id) -> {
                                    saga.step("reserve", tx -> SagaScenarios.effect(tx, id, "reserve"))
                                            .run();
                                    String charged = saga.step("charge", String.class, tx -> {
                                                SagaScenarios.effect(tx, id, "charge");
                                                return "charged by " + node.number();
                                            })
                                            .call();
                                    saga.step("tell", tx -> SagaScenarios.effect(tx, id, "tell"))
                                            .run();
                                    return charged;
                                }),
                        "reserve",
                        "charge",
                        "tell")
                .tables(TOLD)
                .operations(1, SagaFamilyScenarios::completeAndTell)
                .invariant("all are told the result that is kept", SagaFamilyScenarios::oneResult);
    }

    private static void completeAndTell(Service service, Operation operation) throws SQLException {
        SagaResult<String> result = service.hapax()
                .sagas()
                .complete(
                        SagaScenarios.NAME, OnceScenarios.key(operation), operation.id(), String.class, Duration.ZERO);
        if (result instanceof SagaResult.Completed<String> completed) {
            try (Connection connection = service.node().dataSource().getConnection()) {
                write(
                        connection.unwrap(Connection.class),
                        "INSERT INTO told (op, answer) VALUES (?, ?)",
                        operation.id(),
                        completed.answer().orElseThrow());
            }
        }
    }

    private static List<String> oneResult(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT t.answer, convert_from(s.body, 'UTF8') FROM told t JOIN hapax.saga_ended e ON e.key = t.op"
                                + " JOIN hapax.saga_history s ON s.saga = e.id AND s.name = 'charge'"
                                + " WHERE t.answer <> convert_from(s.body, 'UTF8') OR t.answer <> convert_from(e.result, 'UTF8')");
                ResultSet row = select.executeQuery()) {
            List<String> found = new ArrayList<>();
            while (row.next()) {
                found.add("told \"" + row.getString(1) + "\", and \"" + row.getString(2) + "\" is kept");
            }
            return found;
        }
    }
}
