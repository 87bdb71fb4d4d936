package dev.hapax.benchmarks;

import java.sql.SQLException;
import java.util.Locale;

/** Twenty million markers in the day that is written. */
final class MarkersBenchmark implements Benchmark {

    private static final int MARKERS = 20_000_000;
    private static final int AT_ONCE = 2_000_000;
    private static final int THREADS = 8;

    @Override
    public String name() {
        return "markers-20m";
    }

    @Override
    public String about() {
        return "once with 20,000,000 markers in the day that is written, beside an empty one";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        long markers = plan.rows(MARKERS);
        try (Lab free = Lab.open(report);
                Lab full = free.beside();
                Crew crew = new Crew(THREADS)) {
            fill(full, markers);
            Payments inFull = new Payments(full);
            Payments inFree = new Payments(free);
            Cell with = inFull.cell("full", crew, full.producer, inFull::once);
            Cell without = inFree.cell("empty", crew, free.producer, inFree::once);
            Duel duel = new Duel(plan, with, without).run();
            report.part(THREADS + " threads");
            report.figure(String.format(Locale.ROOT, "%,d markers, operations/s", markers), duel.rate(with));
            report.figure("empty, operations/s", duel.rate(without));
            report.figure("full / empty", duel.ratio(with, without), Target.atLeast(0.9));
            long bytes = full.number("SELECT pg_total_relation_size('" + full.markers() + "')");
            long rows = full.number("SELECT count(*) FROM " + full.markers());
            report.figure("bytes a marker, index included", Spread.of(java.util.List.of((double) bytes / rows)));
            WrongRows.unlessEqual("markers", markers + duel.operations(with), rows);
            report.checked("%,d + %,d markers, %,d effects", markers, duel.operations(with), full.effectsOf("full"));
        }
    }

    /** UUIDv7 keys of this morning on, in their order, as a service would have written them. */
    private static void fill(Lab lab, long markers) throws SQLException {
        for (long from = 0; from < markers; from += AT_ONCE) {
            lab.execute("INSERT INTO " + lab.markers() + " (day, scope, producer, key) SELECT DATE '" + lab.day + "', "
                    + lab.scope + ", " + lab.producer
                    + ", overlay(overlay(overlay(overlay(h || '7' || m PLACING '-' FROM 9 FOR 0) PLACING '-' FROM 14 FOR 0)"
                    + " PLACING '-' FROM 19 FOR 0) PLACING '-' FROM 24 FOR 0)"
                    + " FROM (SELECT lpad(to_hex((extract(epoch FROM DATE '" + lab.day
                    + "') * 1000)::bigint + n / 1000), 12, '0') AS h,"
                    + " lpad(to_hex(n % 1000), 3, '0') || '8' || substr(md5(n::text), 1, 15) AS m"
                    + " FROM generate_series(" + from + "::bigint, " + (Math.min(markers, from + AT_ONCE) - 1)
                    + ") n) k");
        }
        lab.execute("VACUUM ANALYZE " + lab.markers());
        lab.settle();
    }
}
