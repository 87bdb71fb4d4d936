package dev.hapax.benchmarks;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.once.Verdict;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/**
 * One row in each of two databases, beside the same by hand: marker and row at home, row and PREPARE TRANSACTION in the other, commit at home, COMMIT PREPARED. Narayana does
 * the same by XA: it prepares both databases, writes its log, and commits both. The hand-written side has no
 * recovery: a crash leaves its prepared transactions where they are.
 */
final class TwoPhaseBenchmark implements Benchmark {

    private static final int[] THREADS = {1, 8, 32};
    private static final String BRANCH = "branch";

    @Override
    public String name() {
        return "two-phase";
    }

    @Override
    public String about() {
        return "one row in each of two databases, beside PREPARE and COMMIT PREPARED by hand, beside Narayana, and beside one database";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab home = Lab.open(report);
                Lab branch = home.beside();
                Narayana narayana = Narayana.open(home.xaDataSource(), branch.xaDataSource());
                Hapax hapax = Hapax.on(home.pool)
                        .name(Lab.SERVICE)
                        .participant(BRANCH, branch.xaDataSource())
                        .open()) {
            for (int threads : THREADS) {
                home.settle();
                try (Crew crew = new Crew(threads)) {
                    new Part(home, branch, hapax, narayana, crew).run(plan, report);
                }
            }
            WrongRows.unless(
                    home.number("SELECT count(*) FROM pg_prepared_xacts") == 0,
                    "%s",
                    "prepared transactions are left over");
        }
    }

    private record Part(Lab home, Lab branch, Hapax hapax, Narayana narayana, Crew crew) {

        void run(Plan plan, Report report) throws Exception {
            Payments payments = new Payments(home);
            int threads = crew.size();
            Cell two = cell(payments, "two-phase-" + threads, home.producer, this::twoPhase);
            Cell hand = cell(
                    payments,
                    "prepare-by-hand-" + threads,
                    home.byHand,
                    (side, id) -> payments.inserts(side, id, ignored -> prepare(side, id), () -> commitPrepared(id)));
            Cell peer = cell(
                    payments,
                    "narayana-" + threads,
                    home.byHand,
                    (side, id) -> narayana.run((atHome, elsewhere) -> {
                        boolean fresh = payments.mark(atHome, id);
                        Payments.effect(atHome, side, id);
                        Payments.effect(elsewhere, side, id);
                        return fresh;
                    }));
            Cell one = payments.cell("one-database-" + threads, crew, home.byHand, payments::twoInserts);
            Duel duel = new Duel(plan, two, hand, peer, one).withCpuOf(home).run();
            report.part(threads + (threads == 1 ? " thread" : " threads"));
            report.figure("hapax, operations/s", duel.rate(two));
            report.figure("by hand, operations/s", duel.rate(hand));
            report.figure("hapax / by hand", duel.ratio(two, hand), Target.atLeast(0.9));
            report.figure("the same by CPU time", duel.cpuRatio(two, hand));
            report.figure("Narayana, operations/s", duel.rate(peer));
            report.figure("hapax / Narayana", duel.ratio(two, peer), Target.atLeast(3));
            report.figure("the price: hapax / one database by hand", duel.ratio(two, one));
            report.checked(
                    "%,d, %,d and %,d effects in each database, each with its marker, none twice",
                    duel.operations(two), duel.operations(hand), duel.operations(peer));
        }

        /** Counts in the other database as well. */
        private Cell cell(Payments payments, String name, int producer, Payments.Operation operation)
                throws SQLException {
            Cell atHome = payments.cell(name, crew, producer, operation);
            EffectCount elsewhere = new EffectCount(branch, name);
            return new Cell(name) {
                @Override
                Done run(Duration slice) throws Exception {
                    return atHome.run(slice);
                }

                @Override
                void check(long operations) throws Exception {
                    atHome.check(operations);
                    elsewhere.check(operations);
                }
            };
        }

        private boolean twoPhase(String side, String id) throws SQLException {
            return hapax.twoPhase(Key.of(Lab.SCOPE, id)).with(BRANCH).run((tx, branches) -> {
                        Payments.effect(tx.connection(), side, id);
                        Payments.effect(branches.connection(BRANCH), side, id);
                    })
                    == Verdict.APPLIED;
        }

        private void prepare(String side, String id) throws SQLException {
            try (Connection connection = branch.pool.getConnection();
                    Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                Payments.effect(connection, side, id);
                // Of the benchmark's own making: letters, digits and hyphens.
                statement.execute("PREPARE TRANSACTION '" + id + "'");
                connection.setAutoCommit(true);
            }
        }

        private void commitPrepared(String id) throws SQLException {
            try (Connection connection = branch.pool.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("COMMIT PREPARED '" + id + "'");
            }
        }
    }
}
