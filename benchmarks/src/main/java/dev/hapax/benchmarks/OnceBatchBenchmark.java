package dev.hapax.benchmarks;

import dev.hapax.Key;
import dev.hapax.once.Verdict;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** {@code onceAll} beside the multi-row form by hand, and beside single operations. */
final class OnceBatchBenchmark implements Benchmark {

    private static final int[] THREADS = {1, 8};
    private static final int BATCH = 500;

    @Override
    public String name() {
        return "once-batch";
    }

    @Override
    public String about() {
        return "onceAll with 500 operations a transaction, beside the multi-row form by hand and beside single operations";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report)) {
            for (int threads : THREADS) {
                lab.settle();
                try (Crew crew = new Crew(threads)) {
                    new Part(lab, crew).run(plan, report);
                }
                lab.execute("TRUNCATE bench.effect, " + lab.markers());
            }
        }
    }

    private static final class Part {

        private static final String EFFECTS = "INSERT INTO bench.effect (side, key, amount)"
                + " SELECT ?, * FROM unnest(CAST(? AS text[]), CAST(? AS numeric[]))";

        private final Lab lab;
        private final Crew crew;
        private final String marks;

        private Part(Lab lab, Crew crew) {
            this.lab = lab;
            this.crew = crew;
            this.marks = "INSERT INTO " + lab.markers() + " (day, scope, producer, key) SELECT DATE '" + lab.day
                    + "', ?, ?, * FROM unnest(CAST(? AS text[])) ON CONFLICT DO NOTHING RETURNING key";
        }

        private void run(Plan plan, Report report) throws Exception {
            Payments payments = new Payments(lab);
            Cell hapax = cell("batch-" + crew.size(), lab.producer, this::onceAll);
            Cell byHand = cell("by-hand-" + crew.size(), lab.byHand, this::byHand);
            Cell single = payments.cell("single-" + crew.size(), crew, lab.producer, payments::once);
            Duel duel = new Duel(plan, hapax, byHand, single).withCpuOf(lab).run();
            report.part(crew.size() + (crew.size() == 1 ? " thread" : " threads"));
            report.figure("hapax, operations/s", duel.rate(hapax));
            report.figure("by hand, operations/s", duel.rate(byHand));
            report.figure("hapax one by one, operations/s", duel.rate(single));
            report.figure("hapax / by hand", duel.ratio(hapax, byHand), Target.atLeast(0.9));
            report.figure("the same by CPU time", duel.cpuRatio(hapax, byHand));
            report.figure("hapax / one by one", duel.ratio(hapax, single), Target.atLeast(8));
            report.checked(
                    "%,d and %,d and %,d effects, as many markers",
                    duel.operations(hapax), duel.operations(byHand), duel.operations(single));
            WrongRows.unlessEqual(
                    "markers of hapax", duel.operations(hapax) + duel.operations(single), lab.markersOf(lab.producer));
            WrongRows.unlessEqual("markers by hand", duel.operations(byHand), lab.markersOf(lab.byHand));
        }

        /** One batch of a side. */
        @FunctionalInterface
        private interface Batch {
            void apply(String side, List<String> ids) throws Exception;
        }

        private Cell cell(String name, int producer, Batch batch) throws SQLException {
            EffectCount effects = new EffectCount(lab, name);
            return new Cell(name) {
                @Override
                Done run(Duration slice) throws Exception {
                    return crew.run(slice, () -> {
                        List<String> ids = new ArrayList<>(BATCH);
                        for (int i = 0; i < BATCH; i++) {
                            ids.add(Ids.next());
                        }
                        batch.apply(name, ids);
                        return BATCH;
                    });
                }

                @Override
                void check(long operations) throws SQLException {
                    effects.check(operations, producer);
                }
            };
        }

        private void onceAll(String side, List<String> ids) throws SQLException {
            List<Verdict> verdicts = lab.hapax
                    .onceAll(ids, id -> Key.of(Lab.SCOPE, id))
                    .run((fresh, tx) -> effects(tx.connection(), side, fresh));
            WrongRows.unless(
                    verdicts.stream().allMatch(v -> v == Verdict.APPLIED), "a new key of a batch was taken for seen");
        }

        private void byHand(String side, List<String> ids) throws SQLException {
            try (Connection connection = lab.pool.getConnection()) {
                connection.setAutoCommit(false);
                try {
                    Set<String> fresh = mark(connection, ids);
                    effects(
                            connection,
                            side,
                            ids.stream().filter(fresh::contains).toList());
                    connection.commit();
                } catch (Throwable failure) {
                    connection.rollback();
                    throw failure;
                }
            }
        }

        private Set<String> mark(Connection connection, List<String> ids) throws SQLException {
            Set<String> fresh = new HashSet<>(ids.size() * 2);
            try (PreparedStatement insert = connection.prepareStatement(marks)) {
                insert.setInt(1, lab.scope);
                insert.setInt(2, lab.byHand);
                insert.setArray(3, connection.createArrayOf("text", ids.toArray()));
                try (ResultSet row = insert.executeQuery()) {
                    while (row.next()) {
                        fresh.add(row.getString(1));
                    }
                }
            }
            return fresh;
        }

        private static void effects(Connection connection, String side, List<String> ids) throws SQLException {
            BigDecimal[] amounts = new BigDecimal[ids.size()];
            Arrays.fill(amounts, Payments.AMOUNT);
            try (PreparedStatement insert = connection.prepareStatement(EFFECTS)) {
                insert.setString(1, side);
                insert.setArray(2, connection.createArrayOf("text", ids.toArray()));
                insert.setArray(3, connection.createArrayOf("numeric", amounts));
                insert.executeUpdate();
            }
        }
    }
}
