package dev.hapax.benchmarks;

import dev.hapax.Key;
import dev.hapax.saga.SagaResult;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;

/** A saga of three steps, each one INSERT, beside three transactions by hand that keep how far they are in a row of their own. */
final class SagaBenchmark implements Benchmark {

    private static final int[] THREADS = {1, 32};
    private static final Duration LONG = Duration.ofMinutes(1);

    @Override
    public String name() {
        return "saga";
    }

    @Override
    public String about() {
        return "a saga of three steps of one INSERT each, beside three transactions by hand with a row of state";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report)) {
            prepare(lab);
            for (int threads : THREADS) {
                lab.settle();
                try (Crew crew = new Crew(threads)) {
                    part(plan, report, lab, crew);
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

    private static void part(Plan plan, Report report, Lab lab, Crew crew) throws Exception {
        Cell hapax = cell(lab, "saga-hapax-" + crew.size(), crew, SagaBenchmark::saga);
        Cell byHand = cell(lab, "saga-by-hand-" + crew.size(), crew, SagaBenchmark::byHand);
        Duel duel = new Duel(plan, hapax, byHand).withCpuOf(lab).run();
        report.part(crew.size() + (crew.size() == 1 ? " thread" : " threads"));
        report.figure("hapax, sagas/s", duel.rate(hapax));
        report.figure("by hand, sagas/s", duel.rate(byHand));
        if (crew.size() == 1) {
            report.figure("hapax / by hand", duel.ratio(hapax, byHand));
        } else {
            report.figure("hapax / by hand", duel.ratio(hapax, byHand), Target.atLeast(0.8));
        }
        report.figure("the same by CPU time", duel.cpuRatio(hapax, byHand));
        report.checked("%,d and %,d sagas, three effects each", duel.operations(hapax), duel.operations(byHand));
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
