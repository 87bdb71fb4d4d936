package dev.hapax.benchmarks;

import dev.hapax.Key;
import java.lang.management.ManagementFactory;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Many sagas asleep: what they cost the process that would run them, and how late those are whose time comes. */
final class SagaSleepingBenchmark implements Benchmark {

    private static final int THREADS = 32;
    private static final int DUE = 500;
    private static final Duration DUE_OVER = Duration.ofSeconds(5);
    private static final Duration LATEST = Duration.ofMinutes(5);
    private static final double MEBIBYTE = 1024.0 * 1024.0;
    private static final double QUIET_SECONDS = 3;

    @Override
    public String name() {
        return "saga-sleeping";
    }

    @Override
    public String about() {
        return "100,000 sagas asleep: heap and statements of the process that has their code, and how late the next step of those is whose time comes";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report)) {
            lab.execute("CREATE EXTENSION pg_stat_statements");
            lab.execute("CREATE TABLE bench.woke (key text NOT NULL, due timestamptz NOT NULL,"
                    + " at timestamptz NOT NULL DEFAULT clock_timestamp())");
            double before = usedHeap();
            lab.hapax.saga("bench-sleep", String.class).run((saga, until) -> {
                saga.sleepUntil("sleep", Instant.parse(until));
                String id = saga.key().id();
                saga.step("wake", tx -> {
                            try (PreparedStatement insert = tx.connection()
                                    .prepareStatement(
                                            "INSERT INTO bench.woke (key, due) VALUES (?, CAST(? AS timestamptz))")) {
                                insert.setString(1, id);
                                insert.setString(2, until);
                                insert.executeUpdate();
                            }
                        })
                        .run();
            });
            long sleeping = plan.rows(100_000);
            fill(lab, report, sleeping);
            lab.settle();
            report.part(String.format(java.util.Locale.ROOT, "%,d sagas asleep", sleeping));
            report.setting("heap in use before the first of them, MiB", Report.number(before));
            report.figure("heap in use, MiB", heap(plan), Target.atMost(200));
            report.figure("statements/s of the whole service", statements(plan, lab));
            due(plan, report, lab);
            long asleep = lab.number("SELECT count(*) FROM hapax.saga WHERE state = 'WAITING'");
            WrongRows.unless(asleep == sleeping, "%d of %d sagas are asleep at the end", asleep, sleeping);
            report.checked("%,d sagas are asleep at the end, and none is in another state", asleep);
        }
    }

    /** Started as callers start them, to sleep for a day. */
    private static void fill(Lab lab, Report report, long sleeping) throws Exception {
        String until = Instant.now().plus(Duration.ofDays(1)).toString();
        AtomicLong left = new AtomicLong(sleeping);
        long began = System.nanoTime();
        try (Crew crew = new Crew(THREADS)) {
            while (left.get() > 0) {
                crew.run(Duration.ofSeconds(1), () -> {
                    if (left.decrementAndGet() >= 0) {
                        start(lab, until);
                    }
                    return 1;
                });
            }
        }
        // Those that wait for their first run are due at once.
        awaitNumber(
                lab,
                "SELECT count(*) FROM hapax.saga WHERE state = 'WAITING' AND due_at > now() + interval '1 hour'",
                sleeping);
        report.say("%,d were started and fell asleep in %.1f s", sleeping, (System.nanoTime() - began) / 1e9);
    }

    private static String start(Lab lab, String until) {
        Key key = Key.of(Lab.SCOPE, Ids.next());
        lab.hapax.sagas().start("bench-sleep", key, until);
        return key.id();
    }

    private static void awaitNumber(Lab lab, String sql, long wanted) throws SQLException {
        long deadline = System.nanoTime() + LATEST.toNanos();
        while (lab.number(sql) != wanted) {
            WrongRows.unless(
                    System.nanoTime() - deadline < 0, "waited for %d by %s, and %d came", wanted, sql, lab.number(sql));
            // Counting 100,000 rows is work too.
            Waiting.untilNanos(System.nanoTime() + 250_000_000);
        }
    }

    private static double usedHeap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / MEBIBYTE;
    }

    private static Spread heap(Plan plan) {
        List<Double> rounds = new ArrayList<>();
        for (int round = 0; round < plan.rounds(); round++) {
            rounds.add(usedHeap());
        }
        return Spread.of(rounds);
    }

    private static Spread statements(Plan plan, Lab lab) throws SQLException {
        List<Double> rounds = new ArrayList<>();
        for (int round = 0; round < plan.rounds(); round++) {
            long before = lab.number("SELECT sum(calls) FROM pg_stat_statements");
            long began = System.nanoTime();
            Waiting.untilNanos(began + (long) (QUIET_SECONDS * 1e9));
            long after = lab.number("SELECT sum(calls) FROM pg_stat_statements");
            rounds.add((after - before - 1) * 1e9 / (System.nanoTime() - began));
        }
        return Spread.of(rounds);
    }

    /** In each round some fall asleep beside the others, and their time comes one after the other. */
    private static void due(Plan plan, Report report, Lab lab) throws Exception {
        List<Double> p50 = new ArrayList<>();
        List<Double> p99 = new ArrayList<>();
        List<Double> latest = new ArrayList<>();
        long woken = 0;
        for (int round = 0; round < plan.rounds(); round++) {
            lab.execute("TRUNCATE bench.woke");
            Instant first = Instant.now().plusSeconds(3);
            for (int n = 0; n < DUE; n++) {
                start(lab, first.plus(DUE_OVER.multipliedBy(n).dividedBy(DUE)).toString());
            }
            awaitNumber(lab, "SELECT count(*) FROM bench.woke", DUE);
            woken += DUE;
            p50.add(late(lab, 0.5));
            p99.add(late(lab, 0.99));
            latest.add(late(lab, 1));
        }
        report.figure("late, ms, p50", Spread.of(p50));
        report.figure("late, ms, p99", Spread.of(p99), Target.atMost(1000));
        report.figure("late, ms, the latest", Spread.of(latest));
        awaitNumber(lab, "SELECT count(*) FROM hapax.saga_ended WHERE state = 'COMPLETED'", woken);
        report.checked("%,d sagas woke once each, and have ended", woken);
    }

    private static double late(Lab lab, double share) throws SQLException {
        return Double.parseDouble(lab.text("SELECT percentile_disc(" + share
                + ") WITHIN GROUP (ORDER BY 1000 * extract(epoch FROM at - due))" + " FROM bench.woke"));
    }
}
