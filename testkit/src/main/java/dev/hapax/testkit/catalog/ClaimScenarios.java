package dev.hapax.testkit.catalog;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.claim.Call;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Claim;
import dev.hapax.claim.ClaimResult;
import dev.hapax.claim.Probe;
import dev.hapax.testkit.proof.Mutation;
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

/**
 * Operations at a bank, which keeps its own books: tables that are written outside the process's transactions, by calls before and after which it may die, fail or stand still. All leases are always over, so that whoever
 * comes takes over at once; but for callers that wait.
 */
final class ClaimScenarios {

    static final String SCOPE = "payments.charge";
    private static final Duration LIMIT = Duration.ofMillis(500);
    static final String[] TABLES = {
        "CREATE TABLE effect (nth bigserial, id text NOT NULL, amount int NOT NULL)",
        "CREATE TABLE bank (nth bigserial, op text NOT NULL, key text NOT NULL)",
        "CREATE TABLE bank_seen (op text PRIMARY KEY, token bigint NOT NULL)"
    };
    private static final String LEASES_RUN_OUT =
            "UPDATE hapax.claim SET due_at = clock_timestamp() WHERE (scope, producer, key)"
                    + " IN (SELECT scope, producer, key FROM hapax.claim WHERE owner IS NOT NULL FOR UPDATE SKIP LOCKED)";
    static final String EFFECTS = "SELECT id, count(*) FROM effect GROUP BY id";
    static final String CHARGES = "SELECT op, count(*) FROM bank GROUP BY op";
    static final CallPolicy HONOURS_KEY = CallPolicy.idempotent().backoff(Duration.ofMillis(1), Duration.ofMillis(1));
    static final CallPolicy IS_ASKED = CallPolicy.notIdempotent()
            .backoff(Duration.ofMillis(1), Duration.ofMillis(1))
            .arrivesWithin(Duration.ZERO);

    private ClaimScenarios() {}

    static List<Scenario<?>> all() {
        return List.of(
                idempotent("claim-idempotent", 0),
                asked(),
                neither(),
                fenced(Mutations.leasesOfClaimsOver()),
                takenOver());
    }

    /** A process is gone in the midst of a call, for all that the others can see. */
    private static final class Gone extends Error {

        private static final long serialVersionUID = 1L;

        Gone() {
            super("gone", null, false, false);
        }
    }

    /** A process with its bank. */
    static final class Service implements AutoCloseable {

        private final Node node;
        final Hapax hapax;

        Service(Node node) {
            this.node = node;
            this.hapax = Hapax.on(node.dataSource())
                    .name("shop")
                    .housekeeping(false)
                    .attempts(3)
                    .open();
        }

        private Claim<String> claim(Operation operation) {
            return waitingClaim(operation).refuseIfInProgress();
        }

        private Claim<String> waitingClaim(Operation operation) {
            return hapax.claim(key(operation)).settling((charge, tx) -> settled(operation.id(), tx));
        }

        /** Charges, and leaves the claim as a process that dies then does, until its lease is over. */
        private void leaveCalled(Operation operation) throws SQLException {
            String op = operation.id();
            if (books(connection -> number(connection, "SELECT count(*) FROM bank WHERE op = ?", op)) > 0) {
                return;
            }
            try {
                claim(operation)
                        .policy(IS_ASKED)
                        .probe(call -> find(op, call))
                        .perform(call -> {
                            chargeUnlessAsked(op, call);
                            throw new Gone();
                        })
                        .settleWithin(LIMIT);
            } catch (Gone gone) {
                books(connection -> update(connection, LEASES_RUN_OUT));
            }
        }

        /** Charges, once per key if it honours keys. */
        String charge(String op, String key, boolean honours) throws Exception {
            return node.step(
                    "charge",
                    () -> books(connection -> {
                        boolean known =
                                honours && number(connection, "SELECT count(*) FROM bank WHERE key = ?", key) > 0;
                        if (!known) {
                            update(connection, "INSERT INTO bank (op, key) VALUES (?, ?)", op, key);
                        }
                        return "charge of " + op;
                    }));
        }

        /** Refuses calls of owners that were replaced, for good. */
        private String chargeFenced(String op, Call call) throws Exception {
            return node.step("charge", () -> {
                if (!books(connection -> see(connection, op, call.fencingToken()))) {
                    throw new dev.hapax.claim.ClaimRefusedException("stale owner");
                }
                return books(connection -> {
                    if (number(connection, "SELECT count(*) FROM bank WHERE op = ?", op) == 0) {
                        update(connection, "INSERT INTO bank (op, key) VALUES (?, ?)", op, call.idempotencyKey());
                    }
                    return "charge of " + op;
                });
            });
        }

        /** Whether nobody with a higher token was here. */
        private static boolean see(Connection connection, String op, long token) throws SQLException {
            return update(
                            connection,
                            "INSERT INTO bank_seen (op, token) VALUES (?, CAST(? AS bigint)) ON CONFLICT (op) DO UPDATE"
                                    + " SET token = excluded.token WHERE bank_seen.token <= excluded.token",
                            op,
                            String.valueOf(token))
                    == 1;
        }

        /** Says what it has done; and if it has not, a call of an owner before this one comes too late. */
        Probe<String> find(String op, Call call) throws Exception {
            return node.step(
                    "ask",
                    () -> books(connection -> {
                        see(connection, op, call.fencingToken());
                        return number(connection, "SELECT count(*) FROM bank WHERE op = ?", op) > 0
                                ? Probe.done("charge of " + op)
                                : Probe.notDone();
                    }));
        }

        String chargeUnlessAsked(String op, Call call) throws Exception {
            return node.step(
                    "charge",
                    () -> books(connection -> {
                        if (!see(connection, op, call.fencingToken())) {
                            throw new SQLException("too late: it was said that this is not done");
                        }
                        update(connection, "INSERT INTO bank (op, key) VALUES (?, ?)", op, call.idempotencyKey());
                        return "charge of " + op;
                    }));
        }

        /** The bank's books: another system, so nothing that is done there passes a point of the process. */
        private <T> T books(Books<T> books) throws SQLException {
            try (Connection connection = node.dataSource().getConnection()) {
                return books.at(connection.unwrap(Connection.class));
            }
        }

        @Override
        public void close() {
            hapax.close();
        }
    }

    /** A look into the bank's books, or an entry. */
    @FunctionalInterface
    private interface Books<T> {
        T at(Connection connection) throws SQLException;
    }

    static long number(Connection connection, String sql, String parameter) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(sql)) {
            select.setString(1, parameter);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private static int update(Connection connection, String sql, String... parameters) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                update.setString(i + 1, parameters[i]);
            }
            return update.executeUpdate();
        }
    }

    static Key key(Operation operation) {
        return Key.of(SCOPE, operation.id()).at(operation.time());
    }

    static void settled(String id, Transaction tx) throws SQLException {
        OnceScenarios.effect(tx.connection(), id);
        tx.publish("charged", id, "charged");
    }

    private static void mustBeSettled(ClaimResult<String> result) {
        if (!(result instanceof ClaimResult.Settled<String>)) {
            throw new IllegalStateException("not settled: " + result);
        }
    }

    private static Scenario<Service> scenario(String name) {
        return Scenario.of(name, Service::new)
                .tables(TABLES)
                .mutated("", Mutations.leasesOfClaimsOver())
                .invariant("what is settled is charged and booked", ClaimScenarios::booked);
    }

    /** Every marker has its effect, and every effect its charge. */
    static List<String> booked(Connection connection) throws SQLException {
        List<String> findings = new ArrayList<>();
        try (PreparedStatement select = connection.prepareStatement("SELECT m.key FROM hapax.marker m WHERE m.scope = '"
                        + SCOPE + "' AND (NOT EXISTS (SELECT FROM effect e WHERE e.id = m.key)"
                        + " OR NOT EXISTS (SELECT FROM bank b WHERE b.op = m.key))");
                ResultSet row = select.executeQuery()) {
            while (row.next()) {
                findings.add(row.getString(1) + " is settled, and is not both charged and booked");
            }
        }
        return findings;
    }

    /**
     * The bank honours the key.
     *
     * @param changing how the key that it is given changes with each try: not, if 0
     */
    static Scenario<Service> idempotent(String name, int changing) {
        return scenario(name)
                .operations(
                        1,
                        (service, operation) -> mustBeSettled(service.claim(operation)
                                .policy(HONOURS_KEY)
                                .perform(call -> service.charge(
                                        operation.id(), call.idempotencyKey() + changing * call.attempt(), true))
                                .settleWithin(LIMIT)))
                .counts("bank", CHARGES)
                .counts("effect", EFFECTS);
    }

    /** The bank can be asked, and would charge again. */
    static Scenario<Service> asked() {
        return scenario("claim-asked")
                .operations(
                        1,
                        (service, operation) -> mustBeSettled(service.claim(operation)
                                .policy(IS_ASKED)
                                .probe(call -> service.find(operation.id(), call))
                                .perform(call -> service.chargeUnlessAsked(operation.id(), call))
                                .settleWithin(LIMIT)))
                .counts("bank", CHARGES)
                .counts("effect", EFFECTS);
    }

    /** As above, by a program that doesn't ask. */
    static Scenario<Service> notAsked() {
        return scenario("claim-not-asked")
                .operations(
                        1,
                        (service, operation) -> mustBeSettled(service.claim(operation)
                                .policy(HONOURS_KEY)
                                .perform(call -> service.charge(operation.id(), call.idempotencyKey(), false))
                                .settleWithin(LIMIT)))
                .counts("bank", CHARGES)
                .counts("effect", EFFECTS);
    }

    /** The bank is called inside the transaction that books. */
    static Scenario<Service> inTransaction() {
        return scenario("claim-in-transaction")
                .operations(
                        1,
                        (service, operation) -> service.hapax
                                .once(key(operation))
                                .run(tx -> {
                                    service.charge(operation.id(), tx.key().id(), false);
                                    settled(operation.id(), tx);
                                }))
                .counts("bank", CHARGES)
                .counts("effect", EFFECTS);
    }

    /** The bank can be neither asked nor called again: in doubt, and never called twice. */
    static Scenario<Service> neither() {
        return scenario("claim-in-doubt")
                .operations(1, (service, operation) -> {
                    ClaimResult<String> result = service.claim(operation)
                            .perform(call -> service.charge(operation.id(), call.idempotencyKey(), false))
                            .settleWithin(LIMIT);
                    if (result instanceof ClaimResult.Refused<String>) {
                        throw new IllegalStateException("nobody has refused");
                    }
                })
                .invariant("never called twice", ClaimScenarios::calledTwice)
                .invariant("nothing is forgotten", connection -> {
                    long known = number(
                            connection,
                            "SELECT (SELECT count(*) FROM hapax.claim WHERE doubt_since IS NOT NULL)"
                                    + " + (SELECT count(*) FROM hapax.marker WHERE scope = ?)",
                            SCOPE);
                    return known > 0 ? List.of() : List.of("the operation is neither settled nor in doubt");
                });
    }

    static List<String> calledTwice(Connection connection) throws SQLException {
        long twice = number(
                connection,
                "SELECT count(*) FROM (SELECT op FROM bank GROUP BY op HAVING count(*) > 1) t WHERE ? IS NOT NULL",
                "");
        return twice == 0 ? List.of() : List.of("the bank was called twice");
    }

    /** The bank refuses owners that were replaced, for good; the second process never hears its answers. Then what the first one is told must not be taken for the end. */
    static Scenario<Service> fenced(Mutation mutation) {
        return Scenario.of("claim-fenced", Service::new)
                .tables(TABLES)
                .mutated("", mutation)
                .operations(
                        1,
                        (service, operation) -> mustBeSettled(service.claim(operation)
                                .policy(HONOURS_KEY.attempts(1))
                                .perform(call -> {
                                    String charge = service.chargeFenced(operation.id(), call);
                                    if (service.node.number() == 2) {
                                        throw new java.io.IOException("connection reset");
                                    }
                                    return charge;
                                })
                                .settleWithin(LIMIT)))
                .counts("bank", CHARGES)
                .counts("effect", EFFECTS);
    }

    /** A caller that waits, with leases as long as they are: it takes over what a process has called that is gone, and asks. */
    static Scenario<Service> takenOver() {
        return Scenario.of("claim-taken-over", Service::new)
                .tables(TABLES)
                .leasesRunOutBy(LEASES_RUN_OUT)
                .operations(1, (service, operation) -> {
                    service.leaveCalled(operation);
                    mustBeSettled(service.waitingClaim(operation)
                            .policy(IS_ASKED)
                            .probe(call -> service.find(operation.id(), call))
                            .perform(call -> service.chargeUnlessAsked(operation.id(), call))
                            .settleWithin(LIMIT));
                })
                .counts("bank", CHARGES)
                .counts("effect", EFFECTS)
                .invariant("what is settled is charged and booked", ClaimScenarios::booked);
    }
}
