package dev.hapax.benchmarks;

/** An effect that is one statement and travels with its marker, beside a plain INSERT without any deduplication. */
final class OnceStatementBenchmark implements Benchmark {

    private static final int[] THREADS = {1, 8, 32};

    @Override
    public String name() {
        return "once-statement";
    }

    @Override
    public String about() {
        return "marker and effect in one statement, beside a plain INSERT + commit without deduplication";
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
        Cell hapax = payments.cell("statement-" + crew.size(), crew, lab.producer, payments::onceStatement);
        Cell plain = payments.cell("plain-" + crew.size(), crew, Payments.NO_MARKERS, (side, id) -> {
            payments.plain(side, id);
            return true;
        });
        Cell byHand = payments.cell("by-hand-" + crew.size(), crew, lab.byHand, payments::statementByHand);
        Duel duel = new Duel(plan, hapax, plain, byHand).withCpuOf(lab).run();
        report.part(crew.size() + (crew.size() == 1 ? " thread" : " threads"));
        report.figure("hapax, operations/s", duel.rate(hapax));
        report.figure("plain INSERT, operations/s", duel.rate(plain));
        report.figure("hapax / plain INSERT", duel.ratio(hapax, plain), Target.atLeast(0.9));
        report.figure("the same by CPU time", duel.cpuRatio(hapax, plain));
        report.figure("one statement by hand / plain INSERT", duel.ratio(byHand, plain));
        report.figure("hapax / one statement by hand", duel.ratio(hapax, byHand));
        report.checked(
                "%,d effects with their markers, none twice; %,d plain rows",
                duel.operations(hapax), duel.operations(plain));
    }
}
