package dev.hapax.benchmarks;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Nothing but repeats, beside ON CONFLICT DO NOTHING by hand; and what they leave behind. */
final class OnceRepeatsBenchmark implements Benchmark {

    private static final int[] THREADS = {1, 8, 32};
    private static final int KEYS = 20_000;

    @Override
    public String name() {
        return "once-repeats";
    }

    @Override
    public String about() {
        return "nothing but repeats, beside ON CONFLICT DO NOTHING by hand; no dead tuples";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report)) {
            Payments payments = new Payments(lab);
            List<String> ids = new ArrayList<>();
            for (int i = 0; i < plan.rows(KEYS); i++) {
                ids.add(Ids.next());
                payments.once("hapax", ids.get(i));
                payments.twoInserts("by hand", ids.get(i));
            }
            lab.execute("VACUUM ANALYZE " + lab.markers());
            lab.settle();
            for (int threads : THREADS) {
                try (Crew crew = new Crew(threads)) {
                    part(plan, report, lab, crew, ids);
                }
            }
        }
    }

    private static void part(Plan plan, Report report, Lab lab, Crew crew, List<String> ids) throws Exception {
        Payments payments = new Payments(lab);
        long sizeBefore = size(lab);
        Cell hapax = cell(lab, crew, "hapax", ids, payments::once);
        Cell byHand = cell(lab, crew, "by hand", ids, payments::twoInserts);
        Cell alone = cell(lab, crew, "by hand, auto-commit", ids, (side, id) -> payments.markAlone(id));
        Duel duel = new Duel(plan, hapax, byHand, alone).withCpuOf(lab).run();
        report.part(crew.size() + (crew.size() == 1 ? " thread" : " threads"));
        report.figure("hapax, repeats/s", duel.rate(hapax));
        report.figure("by hand in the effect's transaction, repeats/s", duel.rate(byHand));
        report.figure("by hand by auto-commit (no effect could follow), repeats/s", duel.rate(alone));
        report.figure("hapax / by hand", duel.ratio(hapax, byHand), Target.atLeast(0.95));
        report.figure("the same by CPU time", duel.cpuRatio(hapax, byHand));
        report.figure("hapax / auto-commit", duel.ratio(hapax, alone));
        WrongRows.unlessEqual("bytes of the markers' partition", sizeBefore, size(lab));
        long dead = deadTuples(lab);
        WrongRows.unless(dead == 0, "%,d dead tuples after nothing but repeats", dead);
        insertAndCatch(lab, ids.getFirst());
        WrongRows.unless(deadTuples(lab) == 1, "an INSERT that fails leaves a dead tuple, and it was not seen");
        lab.execute("VACUUM " + lab.markers());
        report.checked(
                "%,d repeats: no effect, no marker, not a byte more, no dead tuples (and the one of an INSERT that is caught is seen)",
                duel.operations(hapax));
    }

    private static Cell cell(Lab lab, Crew crew, String name, List<String> ids, Payments.Operation operation) {
        return new Cell(name) {
            @Override
            Done run(Duration slice) throws Exception {
                return crew.run(slice, () -> {
                    String id = ids.get(ThreadLocalRandom.current().nextInt(ids.size()));
                    WrongRows.unless(!operation.apply(name, id), "%s applied a repeat", name);
                    return 1;
                });
            }

            @Override
            void check(long operations) throws SQLException {
                WrongRows.unlessEqual("effects", 2L * ids.size(), lab.number("SELECT count(*) FROM bench.effect"));
                WrongRows.unlessEqual("markers of hapax", ids.size(), lab.markersOf(lab.producer));
                WrongRows.unlessEqual("markers by hand", ids.size(), lab.markersOf(lab.byHand));
            }
        };
    }

    private static long size(Lab lab) throws SQLException {
        return lab.number("SELECT pg_relation_size('" + lab.markers() + "')");
    }

    /** Backends tell their counts when they end at the latest, so the pool's are ended. */
    private static long deadTuples(Lab lab) throws SQLException, InterruptedException {
        lab.pool.getHikariPoolMXBean().softEvictConnections();
        String counting = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                + " AND backend_start < clock_timestamp() - interval '300 ms' AND pid <> pg_backend_pid()";
        Waiting.until(Duration.ofSeconds(30), "the pool's old sessions end", () -> lab.number(counting) == 0);
        return lab.number("SELECT n_dead_tup FROM pg_stat_all_tables WHERE relid = '" + lab.markers() + "'::regclass");
    }

    /** What the design forbids: the failed row stays in the table until a vacuum. */
    private static void insertAndCatch(Lab lab, String id) throws SQLException {
        try (Connection connection = lab.pool.getConnection();
                var insert = connection.prepareStatement("INSERT INTO " + lab.markers()
                        + " (day, scope, producer, key) VALUES (DATE '" + lab.day + "', ?, ?, ?)")) {
            insert.setInt(1, lab.scope);
            insert.setInt(2, lab.producer);
            insert.setString(3, id);
            insert.executeUpdate();
        } catch (SQLException e) {
            WrongRows.unless("23505".equals(e.getSQLState()), "a second marker was refused with %s", e);
            return;
        }
        throw new WrongRows("a second marker of one key was accepted");
    }
}
