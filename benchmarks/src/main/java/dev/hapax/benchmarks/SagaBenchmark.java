package dev.hapax.benchmarks;

import dev.hapax.Key;
import dev.hapax.saga.SagaResult;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;

/**
 * A saga of three steps, each one INSERT, beside three transactions by hand that keep how far they are in a row of their own, and beside a workflow of DBOS Transact with both kinds of its steps.
 */
final class SagaBenchmark implements Benchmark {

    private static final int[] THREADS = {1, 32};
    private static final Duration LONG = Duration.ofMinutes(1);

    @Override
    public String name() {
        return "saga";
    }

    @Override
    public String about() {
        return "a saga of three steps of one INSERT each, beside three transactions by hand with a row of state, and beside DBOS Transact";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report);
                Dbos dbos = Dbos.open(lab.pool)) {
            report.setting(
                    "DBOS Transact for Java",
                    Dbos.version() + ", its tables in the same database, transactional steps by its JdbcStepFactory");
            prepare(lab);
            for (int threads : THREADS) {
                lab.settle();
                try (Crew crew = new Crew(threads)) {
                    part(plan, report, lab, dbos, crew);
                }
            }
        }
    }

    static void prepare(Lab lab) throws SQLException {
        lab.execute("CREATE TABLE bench.progress (key text PRIMARY KEY, step int NOT NULL,"
                + " moved_at timestamptz NOT NULL DEFAULT clock_timestamp()) WITH (fillfactor = 70)");
        lab.hapax.saga("bench", String.class).run((saga, side) -> {
            String id = saga.key().id();
            saga.step("one", tx -> Payments.effect(tx.connection(), side, id)).run();
            saga.step("two", tx -> Payments.effect(tx.connection(), side, id)).run();
            saga.step("three", tx -> Payments.effect(tx.connection(), side, id)).run();
        });
    }

    private static void part(Plan plan, Report report, Lab lab, Dbos dbos, Crew crew) throws Exception {
        Cell hapax = cell(lab, "saga-hapax-" + crew.size(), crew, SagaBenchmark::saga);
        Cell byHand = cell(lab, "saga-by-hand-" + crew.size(), crew, SagaBenchmark::byHand);
        Cell transactional = cell(
                lab, "saga-dbos-transactional-" + crew.size(), crew, (same, side, id) -> dbos.transactional(side, id));
        Cell plain = cell(lab, "saga-dbos-plain-" + crew.size(), crew, (same, side, id) -> dbos.plain(side, id));
        Duel duel = new Duel(plan, hapax, byHand, transactional, plain)
                .withCpuOf(lab)
                .run();
        report.part(crew.size() + (crew.size() == 1 ? " thread" : " threads"));
        report.figure("hapax, sagas/s", duel.rate(hapax));
        report.figure("by hand, sagas/s", duel.rate(byHand));
        judge(report, crew, "hapax / by hand", duel.ratio(hapax, byHand), Target.atLeast(0.8));
        report.figure("the same by CPU time", duel.cpuRatio(hapax, byHand));
        report.figure("DBOS, transactional steps, sagas/s", duel.rate(transactional));
        judge(report, crew, "hapax / DBOS, transactional steps", duel.ratio(hapax, transactional), Target.atLeast(3.5));
        report.figure("hapax / DBOS, transactional steps, by CPU time", duel.cpuRatio(hapax, transactional));
        report.figure("DBOS, plain steps, sagas/s", duel.rate(plain));
        report.figure("hapax / DBOS, plain steps", duel.ratio(hapax, plain));
        report.figure("hapax / DBOS, plain steps, by CPU time", duel.cpuRatio(hapax, plain));
        report.checked(
                "%,d, %,d, %,d and %,d sagas, three effects each",
                duel.operations(hapax),
                duel.operations(byHand),
                duel.operations(transactional),
                duel.operations(plain));
    }

    /** One thread alone waits for the disk most of the time: it is shown, not judged. */
    private static void judge(Report report, Crew crew, String name, Spread spread, Target target) {
        if (crew.size() == 1) {
            report.figure(name, spread);
        } else {
            report.figure(name, spread, target);
        }
    }

    /** One saga of a side. */
    @FunctionalInterface
    interface Saga {
        void run(Lab lab, String side, String id) throws SQLException;
    }

    static Cell cell(Lab lab, String name, Crew crew, Saga saga) {
        return new Cell(name) {
            @Override
            Done run(Duration slice) throws Exception {
                return crew.run(slice, () -> {
                    saga.run(lab, name, Ids.next());
                    return 1;
                });
            }

            @Override
            void check(long operations) throws SQLException {
                long effects = lab.effectsOf(name);
                WrongRows.unless(
                        effects == 3 * operations, "%s made %d effects in %d sagas", name, effects, operations);
            }
        };
    }

    static void saga(Lab lab, String side, String id) {
        SagaResult<Void> result = lab.hapax.sagas().complete("bench", Key.of(Lab.SCOPE, id), side, Void.class, LONG);
        if (!(result instanceof SagaResult.Completed)) {
            throw new IllegalStateException("a saga ended as " + result);
        }
    }

    static void byHand(Lab lab, String side, String id) throws SQLException {
        for (int step = 1; step <= 3; step++) {
            try (Connection connection = lab.pool.getConnection()) {
                connection.setAutoCommit(false);
                try {
                    if (moved(connection, id, step)) {
                        Payments.effect(connection, side, id);
                    }
                    connection.commit();
                } catch (Throwable failure) {
                    connection.rollback();
                    throw failure;
                }
            }
        }
    }

    /** Whether it is this step's turn. */
    private static boolean moved(Connection connection, String id, int step) throws SQLException {
        String sql = step == 1
                ? "INSERT INTO bench.progress (key, step) VALUES (?, ?) ON CONFLICT DO NOTHING"
                : "UPDATE bench.progress SET step = step + 1, moved_at = clock_timestamp() WHERE key = ? AND step = ? - 1";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, id);
            statement.setInt(2, step);
            return statement.executeUpdate() == 1;
        }
    }
}
