package dev.hapax.benchmarks;

/** {@code once} with a one-row effect beside the same two INSERTs. */
final class OnceBenchmark implements Benchmark {

    private static final int[] THREADS = {1, 8, 32};

    @Override
    public String name() {
        return "once";
    }

    @Override
    public String about() {
        return "once with a one-row effect, beside the same two INSERTs in one transaction by hand";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report)) {
            for (int threads : THREADS) {
                lab.settle();
                try (Crew crew = new Crew(threads)) {
                    part(plan, report, lab, crew);
                }
            }
        }
    }

    private static void part(Plan plan, Report report, Lab lab, Crew crew) throws Exception {
        Payments payments = new Payments(lab);
        Cell hapax = payments.cell("hapax-" + crew.size(), crew, lab.producer, payments::once);
        Cell byHand = payments.cell("by-hand-" + crew.size(), crew, lab.byHand, payments::twoInserts);
        Duel duel = new Duel(plan, hapax, byHand).withCpuOf(lab).run();
        report.part(crew.size() + (crew.size() == 1 ? " thread" : " threads"));
        report.figure("hapax, operations/s", duel.rate(hapax));
        report.figure("by hand, operations/s", duel.rate(byHand));
        report.figure("hapax / by hand", duel.ratio(hapax, byHand), Target.atLeast(0.95));
        report.figure("the same by CPU time", duel.cpuRatio(hapax, byHand));
        report.checked(
                "%,d and %,d effects, each with its marker, none twice",
                duel.operations(hapax), duel.operations(byHand));
    }
}
