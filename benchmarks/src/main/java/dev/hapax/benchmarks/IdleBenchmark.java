package dev.hapax.benchmarks;

import dev.hapax.testkit.ChildJvm;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What a reader costs that has nothing to read. */
final class IdleBenchmark implements Benchmark {

    private static final Duration WORKS = Duration.ofSeconds(30);
    private static final Duration STARTS_WITHIN = Duration.ofMinutes(1);

    @Override
    public String name() {
        return "idle";
    }

    @Override
    public String about() {
        return "what an idle reader costs: statements a second, and CPU of its process and of its sessions in the server";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report)) {
            lab.execute("CREATE EXTENSION pg_stat_statements");
            List<Double> statements = new ArrayList<>();
            List<Double> client = new ArrayList<>();
            List<Double> server = new ArrayList<>();
            List<Double> without = new ArrayList<>();
            List<Double> sum = new ArrayList<>();
            try (ChildJvm reader = start(lab, "consume");
                    ChildJvm pool = start(lab, "pool")) {
                work(plan, lab);
                settle(plan);
                // Nobody else may be counted, and this service's own background work would be.
                lab.hapax.close();
                for (int round = 0; round < plan.rounds(); round++) {
                    Sample before = Sample.of(lab, reader, pool);
                    pass(plan.seconds());
                    Sample after = Sample.of(lab, reader, pool);
                    double seconds = (after.nanos - before.nanos) / 1e9;
                    statements.add((after.calls - before.calls - Sample.OWN_CALLS) / seconds);
                    client.add((after.clientNanos - before.clientNanos) / 1e7 / seconds);
                    server.add((after.serverNanos - before.serverNanos) / 1e7 / seconds);
                    without.add((after.poolNanos - before.poolNanos) / 1e7 / seconds);
                    sum.add(client.getLast() + server.getLast() - without.getLast());
                }
                Messages.checkAtTheEnd(lab, ReaderProcess.CONSUMER);
            }
            report.part("one process with one consumer, nothing to read");
            report.figure("statements/s", Spread.of(statements), Target.atMost(50));
            report.figure("its process, % of a core", Spread.of(client));
            report.figure("its sessions in the server, % of a core", Spread.of(server));
            report.figure(
                    "a process that has such a pool and no reader, with its sessions, % of a core", Spread.of(without));
            report.figure("what the reader adds, % of a core", Spread.of(sum), Target.atMost(1));
            report.checked("the reader held its 16 lanes all the time; statements as the server counted them");
        }
    }

    private static ChildJvm start(Lab lab, String mode) throws Exception {
        ChildJvm child = ChildJvm.of(ReaderProcess.class)
                .jvm("-XX:TieredStopAtLevel=4")
                .arguments(lab.jdbcUrl(), mode)
                .start();
        child.awaitLine("reading", STARTS_WITHIN);
        return child;
    }

    /** A service that has nothing to read for the moment has read before, so that its code is compiled. */
    private static void work(Plan plan, Lab lab) throws Exception {
        Messages messages = new Messages(lab);
        long until = System.nanoTime() + (plan.quick() ? 0 : WORKS.toNanos());
        while (messages.published() < 10 || System.nanoTime() < until) {
            messages.once("idle", Ids.next());
        }
        Messages.checkAtTheEnd(lab, ReaderProcess.CONSUMER);
    }

    private static void settle(Plan plan) {
        pass(plan.quick() ? 1 : 60);
    }

    private static void pass(double seconds) {
        Waiting.untilNanos(System.nanoTime() + (long) (seconds * 1e9));
    }

    /** What was used so far. */
    private record Sample(long nanos, long calls, long clientNanos, long serverNanos, long poolNanos) {

        /** Statements that taking a sample runs itself, between the two counts. */
        static final int OWN_CALLS = 3;

        static Sample of(Lab lab, ChildJvm reader, ChildJvm pool) throws SQLException, IOException {
            long serverNanos = sessions(lab, "consume");
            long clientNanos = CpuTime.ofProcess(reader.pid());
            long poolNanos = CpuTime.ofProcess(pool.pid()) + sessions(lab, "pool");
            long calls = lab.number("SELECT sum(calls) FROM pg_stat_statements");
            return new Sample(System.nanoTime(), calls, clientNanos, serverNanos, poolNanos);
        }

        private static long sessions(Lab lab, String mode) throws SQLException, IOException {
            long nanos = 0;
            for (String pid : lab.text(
                            "SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE application_name = '"
                                    + ReaderProcess.application(mode) + "'")
                    .split(",")) {
                nanos += CpuTime.ofProcess(Long.parseLong(pid));
            }
            return nanos;
        }
    }
}
