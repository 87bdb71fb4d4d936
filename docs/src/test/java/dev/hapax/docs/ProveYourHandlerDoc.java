package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.EveryCrashPoint;
import dev.hapax.testkit.proof.Invariants;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.Proof;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Violation;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 5, unit = TimeUnit.MINUTES)
@Tag("slow")
class ProveYourHandlerDoc {

    /** Another company's computer, as the service sees it. */
    interface Bank {

        void charge(String payment, BigDecimal amount) throws Exception;

        /** The same idempotency key charges once, however often it comes. */
        void charge(String payment, BigDecimal amount, String idempotencyKey) throws Exception;
    }

    // tag::bank[]
    /** Stands for the bank. It is no part of any process, so what it has done stays done. */
    static final class FakeBank implements Bank {

        private final Map<String, Long> charges = new ConcurrentHashMap<>();
        private final Set<String> keys = ConcurrentHashMap.newKeySet();

        @Override
        public void charge(String payment, BigDecimal amount) {
            charges.merge(payment, 1L, Long::sum);
        }

        @Override
        public void charge(String payment, BigDecimal amount, String idempotencyKey) {
            if (keys.add(idempotencyKey)) {
                charge(payment, amount);
            }
        }

        Map<String, Long> charges() {
            return Map.copyOf(charges);
        }
    }
    // end::bank[]

    // tag::handler[]
    static class Payments implements AutoCloseable {

        final Hapax hapax;
        final Bank bank;

        Payments(DataSource dataSource, Bank bank) {
            this.hapax = Hapax.on(dataSource)
                    .name("payments")
                    .housekeeping(false)
                    .attempts(3)
                    .open();
            this.bank = bank;
        }

        void take(Key key, BigDecimal amount) throws Exception {
            hapax.once(key).run(tx -> {
                insert(tx.connection(), key.id(), amount);
                bank.charge(key.id(), amount); // the planted bug
            });
        }

        static void insert(Connection connection, String id, BigDecimal amount) throws SQLException {
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO payment (id, amount) VALUES (?, ?)")) {
                insert.setString(1, id);
                insert.setBigDecimal(2, amount);
                insert.executeUpdate();
            }
        }

        @Override
        public void close() {
            hapax.close();
        }
    }
    // end::handler[]

    // tag::watched[]
    /** The bank, as one simulated process reaches it: before and after each call is a point. */
    static Bank watched(Node node) {
        return node.around(Bank.class, node.outside(FakeBank.class));
    }
    // end::watched[]

    private static final BigDecimal AMOUNT = new BigDecimal("12.50");

    private static <S extends Payments> Scenario<S> described(Scenario<S> scenario) {
        return
        // tag::scenario[]
        scenario.tables("CREATE TABLE payment (id text NOT NULL, amount numeric NOT NULL)")
                .outside(FakeBank.class, FakeBank::new)
                .operations(
                        1,
                        (payments, operation) ->
                                payments.take(Key.of("payments", operation.id()).at(operation.time()), AMOUNT))
                .counts("payment", "SELECT id, count(*) FROM payment GROUP BY id")
                .counts("the bank", FakeBank.class, FakeBank::charges);
        // end::scenario[]
    }

    @Test
    void the_planted_bug_is_found() {
        Scenario<Payments> scenario = described(
                Scenario.of("a_payment_is_taken_once", node -> new Payments(node.dataSource(), watched(node))));
        ProofReport report =
                new CrashPoints(EmbeddedDatabase.shared()).withoutLikes().explore(scenario);

        assertThat(report.unreached()).isEmpty();
        assertThat(report.violations()).extracting(Violation::invariant).containsOnly(Invariants.AT_MOST_ONCE);
        assertThat(report.violations()).extracting(Violation::finding).allMatch(found -> found.endsWith("the bank"));
        String page = Manual.read(Manual.page("docs/guides/prove-your-handler.md"));
        report.describe("-Dtest=PaymentsCrashTest#a_payment_is_taken_once -Dhapax.trial=")
                .lines()
                .limit(6)
                .forEach(line ->
                        assertThat(page).as("the output that the guide shows").contains(line));
    }

    // tag::mended[]
    static final class MendedPayments extends Payments {

        MendedPayments(DataSource dataSource, Bank bank) {
            super(dataSource, bank);
        }

        @Override
        void take(Key key, BigDecimal amount) throws Exception {
            bank.charge(key.id(), amount, key.id()); // outside the transaction, under the operation's own key
            hapax.once(key).run(tx -> insert(tx.connection(), key.id(), amount));
        }
    }
    // end::mended[]

    // tag::test[]
    @EveryCrashPoint
    void a_payment_is_taken_once(Proof proof) {
        described(proof.of(node -> new MendedPayments(node.dataSource(), watched(node))));
    }
    // end::test[]
}
