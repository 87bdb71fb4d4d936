package dev.hapax.benchmarks;

/** Two databases on one server, one of them burdened: the same work in both, in turn. */
final class Flat {

    private static final int PRODUCERS = 4;

    private Flat() {}

    /** Publishing and delivery in both; the ratio says what the burden costs. */
    static Duel live(Plan plan, Report report, Lab burdened, Lab free, String burden) throws Exception {
        try (Crew producers = new Crew(PRODUCERS)) {
            LiveFlow withFlow = new LiveFlow(burdened, producers);
            LiveFlow freeFlow = new LiveFlow(free, producers);
            Cell with = withFlow.byHapax("with");
            Cell without = freeFlow.byHapax("without");
            Duel duel = new Duel(plan, with, without).run();
            report.part(PRODUCERS + " producers, one consumer, " + burden);
            report.figure("with it, published and delivered, messages/s", duel.rate(with));
            report.figure("without it, messages/s", duel.rate(without));
            report.figure("with / without", duel.ratio(with, without), Target.atLeast(0.9));
            report.figure("with it, last message after its producers' end, ms", Spread.of(withFlow.tails));
            report.figure("without it, last message, ms", Spread.of(freeFlow.tails));
            report.checked(
                    "%,d and %,d messages delivered, each once, positions at the end without gaps",
                    duel.operations(with), duel.operations(without));
            return duel;
        }
    }
}
