package dev.hapax.benchmarks;

import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/** Dropping a day of markers while others write, beside deleting as many rows. */
final class DropDayBenchmark implements Benchmark {

    private static final long MARKERS = 1_000_000;
    private static final int WRITERS = 4;
    private static final int EXPIRED_DAYS = 40;

    @Override
    public String name() {
        return "drop-day";
    }

    @Override
    public String about() {
        return "dropping a day of 1,000,000 markers while others write, beside a DELETE of as many rows by hand";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        long markers = plan.rows(MARKERS);
        List<Double> drops = new ArrayList<>();
        List<Double> deletes = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        List<Double> worstQuiet = new ArrayList<>();
        List<Double> worst = new ArrayList<>();
        List<Double> rateRatios = new ArrayList<>();
        try (Lab lab = Lab.open(report);
                Crew writers = new Crew(WRITERS)) {
            lab.execute("CREATE TABLE bench.old_markers (LIKE " + lab.markers() + " INCLUDING INDEXES)");
            Payments payments = new Payments(lab);
            AtomicLong operations = new AtomicLong();
            for (int round = 0; round < plan.rounds(); round++) {
                LocalDate expired = lab.day.minusDays(EXPIRED_DAYS + round);
                fill(lab, expired, markers);
                Writing quiet = write(plan, payments, writers, operations, () -> 0.0);
                Writing dropping = write(plan, payments, writers, operations, () -> drop(lab, expired));
                drops.add(dropping.millis);
                worstQuiet.add(quiet.worstMillis);
                worst.add(dropping.worstMillis);
                rateRatios.add(dropping.rate / quiet.rate);
                deletes.add(timed(() -> lab.execute("DELETE FROM bench.old_markers")));
                ratios.add(drops.getLast() / deletes.getLast());
                lab.execute("TRUNCATE bench.old_markers");
                WrongRows.unlessEqual("effects", operations.get(), lab.effectsOf("writer"));
            }
            report.part(String.format("%,d markers a day, %d writers", markers, WRITERS));
            report.figure("dropping the day, ms", Spread.of(drops), Target.atMost(100));
            report.figure("deleting as many rows by hand, ms", Spread.of(deletes));
            report.figure("drop / delete", Spread.of(ratios));
            report.figure("slowest operation of a writer, nothing dropped, ms", Spread.of(worstQuiet));
            report.figure(
                    "slowest operation of a writer while a day is dropped, ms", Spread.of(worst), Target.atMost(100));
            report.figure("writers' rate, while dropped / nothing dropped", Spread.of(rateRatios), Target.atLeast(0.9));
            WrongRows.unlessEqual(
                    "days noted as dropped", plan.rounds(), lab.number("SELECT count(*) FROM hapax.pruned"));
            report.checked("%,d effects of the writers; every day is gone and noted", operations.get());
        }
    }

    /** A day behind its retention, as it would have been left by a service. */
    private static void fill(Lab lab, LocalDate day, long markers) throws SQLException {
        String leaf = "hapax.marker_30_" + day.format(DateTimeFormatter.BASIC_ISO_DATE);
        lab.execute("CREATE TABLE " + leaf
                + " (LIKE hapax.marker_30 INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)");
        lab.execute("ALTER TABLE hapax.marker_30 ATTACH PARTITION " + leaf + " FOR VALUES FROM ('" + day + "') TO ('"
                + day.plusDays(1) + "')");
        for (String table : new String[] {leaf, "bench.old_markers"}) {
            lab.execute("INSERT INTO " + table + " (applied_at, day, scope, producer, key) SELECT now(), DATE '" + day
                    + "', "
                    + lab.scope + ", " + lab.producer + ", 'old-' || lpad(n::text, 10, '0') FROM generate_series(1, "
                    + markers + ") n");
        }
        lab.settle();
    }

    private static double drop(Lab lab, LocalDate day) throws Exception {
        double millis = timed(() -> WrongRows.unless(
                lab.text("SELECT hapax.drop_partition('marker_30', DATE '" + day + "')")
                        .equals("t"),
                "the day %s was not dropped",
                day));
        WrongRows.unlessEqual(
                "markers of the dropped day",
                0,
                lab.number("SELECT count(*) FROM hapax.marker_30 WHERE day = DATE '" + day + "'"));
        return millis;
    }

    private record Writing(double rate, double worstMillis, double millis) {}

    /** Something that is done while others write; returns its own milliseconds. */
    @FunctionalInterface
    private interface Meanwhile {
        double run() throws Exception;
    }

    private static Writing write(Plan plan, Payments payments, Crew writers, AtomicLong operations, Meanwhile meanwhile)
            throws Exception {
        AtomicLong worst = new AtomicLong();
        Duration time = Duration.ofNanos((long) (plan.seconds() * 1e9));
        CompletableFuture<Double> beside = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("bench-dropper").start(() -> {
            try {
                Waiting.untilNanos(System.nanoTime() + time.toNanos() / 2);
                beside.complete(meanwhile.run());
            } catch (Throwable t) {
                beside.completeExceptionally(t);
            }
        });
        Cell.Done done = writers.run(time, () -> {
            long began = System.nanoTime();
            payments.once("writer", Ids.next());
            worst.accumulateAndGet(System.nanoTime() - began, Math::max);
            return 1;
        });
        operations.addAndGet(done.operations());
        return new Writing(done.rate(), worst.get() / 1e6, beside.get());
    }

    /** Work without an answer. */
    @FunctionalInterface
    private interface Step {
        void run() throws Exception;
    }

    private static double timed(Step step) throws Exception {
        long began = System.nanoTime();
        step.run();
        return (System.nanoTime() - began) / 1e6;
    }
}
