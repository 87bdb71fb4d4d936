package dev.hapax.benchmarks;

/** Ten million messages behind the reader's position. */
final class FlatBacklogBenchmark implements Benchmark {

    private static final int MESSAGES = 10_000_000;

    @Override
    public String name() {
        return "flat-backlog";
    }

    @Override
    public String about() {
        return "publishing and delivery with 10,000,000 messages behind the position, beside an empty log";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        int messages = (int) plan.rows(MESSAGES) / 16 * 16;
        try (Lab free = Lab.open(report);
                Lab burdened = free.beside()) {
            DrainBenchmark.fillLog(burdened, messages);
            Flat.live(plan, report, burdened, free, String.format("%,d messages behind its position", messages));
            WrongRows.unlessEqual(
                    "messages behind",
                    messages,
                    burdened.number("SELECT count(*) FROM hapax.log WHERE producer = 'filler'"));
        }
    }
}
