package dev.hapax.testkit.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Systems outside the database: their calls are points, and what they did is counted. */
class OutsideCrashTest {

    private interface Bank {
        long charge(String payment, String key);
    }

    /** A bank that honours keys, or one that does not. */
    private static final class FakeBank implements Bank, AutoCloseable {
        private static final AtomicInteger OPEN = new AtomicInteger();

        private final Map<String, Long> charges = new ConcurrentHashMap<>();
        private final boolean honoursKeys;

        private FakeBank(boolean honoursKeys) {
            this.honoursKeys = honoursKeys;
            OPEN.incrementAndGet();
        }

        @Override
        public long charge(String payment, String key) {
            return charges.merge(payment, 1L, (before, one) -> honoursKeys ? before : before + one);
        }

        @Override
        public void close() {
            OPEN.decrementAndGet();
        }
    }

    private static final class BankDown extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient Mode mode;

        private BankDown(Mode mode, String call) {
            super(call + " " + mode);
            this.mode = mode;
        }
    }

    private record Service(Node node, Bank bank, Queue<Mode> seen) {
        void pay(Operation operation) throws Exception {
            if (isPaid(operation)) {
                return;
            }
            try {
                bank.charge(operation.id(), operation.id());
            } catch (BankDown e) {
                seen.add(e.mode);
                throw e;
            }
            node.point("between the charge and its row");
            try (Connection connection = node.dataSource().getConnection();
                    PreparedStatement insert =
                            connection.prepareStatement("INSERT INTO payment (id) VALUES (?) ON CONFLICT DO NOTHING")) {
                insert.setString(1, operation.id());
                insert.executeUpdate();
            }
        }

        private boolean isPaid(Operation operation) throws Exception {
            try (Connection connection = node.dataSource().getConnection()) {
                return Rows.number(connection, "SELECT count(*) FROM payment WHERE id = ?", operation.id()) > 0;
            }
        }
    }

    private static Scenario<Service> scenario(boolean honoursKeys, Queue<Mode> seen) {
        return Scenario.of(
                        "outside",
                        node -> new Service(
                                node, node.around(Bank.class, node.outside(FakeBank.class), BankDown::new), seen))
                .tables("CREATE TABLE payment (id text PRIMARY KEY)")
                .outside(FakeBank.class, () -> new FakeBank(honoursKeys))
                .operations(1, Service::pay)
                .counts("payment", "SELECT id, count(*) FROM payment GROUP BY id")
                .counts("bank", FakeBank.class, bank -> Map.copyOf(bank.charges))
                .invariant(
                        "the bank knows of no other payment",
                        FakeBank.class,
                        bank -> bank.charges.size() > 1 ? List.of(bank.charges.toString()) : List.of());
    }

    @Test
    void calls_are_points_at_which_they_are_refused_do_not_arrive_or_lose_their_answer() {
        Queue<Mode> seen = new ConcurrentLinkedQueue<>();
        ProofReport report =
                new CrashPoints(EmbeddedDatabase.shared()).pairs(10).explore(scenario(true, seen));
        assertThat(report.isProven()).as(report.describe("")).isTrue();
        // Before and after the call, at the place, before and after the row.
        assertThat(report.points()).isEqualTo(5);
        assertThat(seen).contains(Mode.FAILS_ONCE, Mode.FAILS_FOR_GOOD, Mode.LOST_NOT_COMMITTED, Mode.LOST_COMMITTED);
        assertThat(FakeBank.OPEN)
                .as("all but those of the last runs are closed")
                .hasValue(0);
    }

    @Test
    void two_processes_take_turns_at_them() {
        ProofReport report = new CrashPoints(EmbeddedDatabase.shared())
                .points(point -> false)
                .schedules(10)
                .explore(scenario(true, new ConcurrentLinkedQueue<>()));
        assertThat(report.violations()).isEmpty();
    }

    @Test
    void a_bank_that_honours_no_key_is_found_out_where_the_answer_gets_lost() {
        ProofReport report =
                new CrashPoints(EmbeddedDatabase.shared()).explore(scenario(false, new ConcurrentLinkedQueue<>()));
        assertThat(report.violations()).extracting(Violation::invariant).containsOnly(Invariants.AT_MOST_ONCE);
        assertThat(report.violations())
                .extracting(one -> one.trial().faults().getLast().mode())
                .contains(Mode.DIES, Mode.LOST_COMMITTED);
    }
}
