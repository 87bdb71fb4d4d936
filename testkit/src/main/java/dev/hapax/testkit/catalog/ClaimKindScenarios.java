package dev.hapax.testkit.catalog;

import dev.hapax.Key;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.ClaimKindBuilder;
import dev.hapax.internal.claim.SteppedKind;
import dev.hapax.testkit.proof.Mutation;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.Operation;
import dev.hapax.testkit.proof.Scenario;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * Charges at the bank of {@link ClaimScenarios} that go on without their caller: the intent is committed with an order, and whichever process is there works on it, by hand and not by threads.
 */
final class ClaimKindScenarios {

    /** Nothing is charged of which the order does not exist. */
    static final String ASKED_FOR = "what is charged was asked for";

    private static final int REFUSALS_MAX = 5;
    private static final String IN_FLIGHT = "SELECT count(*) FROM hapax.claim";

    private ClaimKindScenarios() {}

    static List<Scenario<?>> all() {
        return List.of(idempotent(Mutations.leasesOfClaimsOver()), asked(), neither());
    }

    /** How the bank is spoken to. */
    @FunctionalInterface
    private interface Manner {
        ClaimKindBuilder<String, String> of(ClaimKindBuilder<String, String> builder, Orders orders);
    }

    /** A process that takes orders, and has them charged. */
    static final class Orders implements AutoCloseable {

        private final ClaimScenarios.Service service;
        private final SteppedKind<String, String> charges;
        private int refusals;

        private Orders(Node node, Manner manner) throws SQLException {
            this.service = new ClaimScenarios.Service(node);
            this.charges = SteppedKind.of(manner.of(
                    service.hapax
                            .claims(ClaimScenarios.SCOPE, String.class, String.class)
                            .settling((op, charge, tx) -> ClaimScenarios.settled(op, tx)),
                    this));
        }

        private void place(Operation operation) throws SQLException {
            Key order = Key.of("orders", operation.id()).at(operation.time());
            service.hapax.once(order).run(tx -> {
                charges.submit(tx, ClaimScenarios.key(operation), operation.id());
                try (PreparedStatement insert =
                        tx.connection().prepareStatement("INSERT INTO placed (id) VALUES (?)")) {
                    insert.setString(1, operation.id());
                    insert.executeUpdate();
                }
            });
        }

        /** A process whose bank refuses it again and again ends, and another one goes on. */
        private void work() throws SQLException {
            charges.step();
            if (refusals > REFUSALS_MAX) {
                throw new IllegalStateException("the bank refuses every call");
            }
        }

        /** Counts calls that fail. A question that is answered doesn't help a charge that is refused. */
        private <A> A told(Callable<A> call) throws Exception {
            try {
                return call.call();
            } catch (Exception e) {
                refusals++;
                throw e;
            }
        }

        @Override
        public void close() {
            service.close();
        }
    }

    private static Scenario<Orders> scenario(String name, String unfinished, Manner manner) {
        return Scenario.of(name, node -> new Orders(node, manner))
                .tables(ClaimScenarios.TABLES)
                .tables("CREATE TABLE placed (id text NOT NULL)")
                .mutated("", Mutations.leasesOfClaimsOver())
                .operations(1, Orders::place)
                .background(Orders::work)
                .unfinished(unfinished)
                .counts("placed", "SELECT id, count(*) FROM placed GROUP BY id")
                .invariant("what is settled is charged and booked", ClaimScenarios::booked)
                .invariant(ASKED_FOR, ClaimKindScenarios::notAskedFor);
    }

    private static List<String> notAskedFor(Connection connection) throws SQLException {
        List<String> findings = new ArrayList<>();
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT op FROM bank b WHERE NOT EXISTS (SELECT FROM placed p WHERE p.id = b.op)");
                ResultSet row = select.executeQuery()) {
            while (row.next()) {
                findings.add(row.getString(1) + " is charged, and there is no such order");
            }
        }
        return findings;
    }

    /** The bank honours the key. */
    private static Scenario<Orders> idempotent(Mutation mutation) {
        return scenario(
                        "claim-kind-idempotent",
                        IN_FLIGHT,
                        (builder, orders) -> builder.policy(ClaimScenarios.HONOURS_KEY)
                                .perform((op, call) ->
                                        orders.told(() -> orders.service.charge(op, call.idempotencyKey(), true))))
                .mutated("", mutation)
                .counts("bank", ClaimScenarios.CHARGES)
                .counts("effect", ClaimScenarios.EFFECTS);
    }

    /** The bank can be asked, and would charge again. */
    private static Scenario<Orders> asked() {
        return scenario(
                        "claim-kind-asked",
                        IN_FLIGHT,
                        (builder, orders) -> builder.policy(ClaimScenarios.IS_ASKED)
                                .probe((op, call) -> orders.told(() -> orders.service.find(op, call)))
                                .perform((op, call) -> orders.told(() -> orders.service.chargeUnlessAsked(op, call))))
                .counts("bank", ClaimScenarios.CHARGES)
                .counts("effect", ClaimScenarios.EFFECTS);
    }

    /** The bank can be neither asked nor called again: in doubt, and never called twice. */
    private static Scenario<Orders> neither() {
        return scenario(
                        "claim-kind-in-doubt",
                        IN_FLIGHT + " WHERE doubt_since IS NULL",
                        (builder, orders) -> builder.policy(CallPolicy.notIdempotent())
                                .perform((op, call) ->
                                        orders.told(() -> orders.service.charge(op, call.idempotencyKey(), false))))
                .invariant("never called twice", ClaimScenarios::calledTwice)
                .invariant("nothing is forgotten", ClaimKindScenarios::forgotten);
    }

    private static List<String> forgotten(Connection connection) throws SQLException {
        long forgotten = ClaimScenarios.number(
                connection,
                "SELECT count(*) FROM placed p WHERE NOT EXISTS (SELECT FROM hapax.claim c WHERE c.key = p.id)"
                        + " AND NOT EXISTS (SELECT FROM hapax.marker m WHERE m.scope = ? AND m.key = p.id)",
                ClaimScenarios.SCOPE);
        return forgotten == 0 ? List.of() : List.of("an order has neither a claim nor a settled charge");
    }

    /** A mutant: the intent is committed before the order that it belongs to. */
    static Scenario<Orders> intentByItself() {
        return idempotent(Mutations.intentByItself()).mutated("intent by itself", Mutations.intentByItself());
    }
}
