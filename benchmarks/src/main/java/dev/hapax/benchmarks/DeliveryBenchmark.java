package dev.hapax.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Four producers at full speed, and whether delivery keeps up with them. */
final class DeliveryBenchmark implements Benchmark {

    private static final int PRODUCERS = 4;

    @Override
    public String name() {
        return "delivery";
    }

    @Override
    public String about() {
        return "4 producers at full speed: delivery beside the production of an outbox by hand";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report);
                Crew producers = new Crew(PRODUCERS)) {
            LiveFlow flow = new LiveFlow(lab, producers);
            Cell hapax = flow.byHapax("hapax");
            Cell byHand = flow.byHand("by-hand");
            List<Double> produced = new ArrayList<>();
            Cell watched = new Cell("by-hand") {
                @Override
                Done run(Duration slice) throws Exception {
                    flow.takeProduced();
                    Done done = byHand.run(slice);
                    Done alone = flow.takeProduced();
                    total = total.plus(alone);
                    return done;
                }

                private Done total = Done.NOTHING;

                @Override
                void check(long operations) throws Exception {
                    byHand.check(operations);
                    if (total.nanos() > 0) {
                        produced.add(total.rate());
                    }
                    total = Done.NOTHING;
                }
            };
            Duel duel = new Duel(plan, hapax, watched).withCpuOf(lab).run();
            // The first check follows the warm-up.
            produced.removeFirst();
            report.part(PRODUCERS + " producers");
            report.figure("hapax, published and delivered, messages/s", duel.rate(hapax));
            report.figure("by hand, produced with the poller running, messages/s", Spread.of(produced));
            report.figure("by hand, produced and read, messages/s", duel.rate(watched));
            List<Double> ratios = new ArrayList<>();
            for (int i = 0; i < produced.size(); i++) {
                ratios.add(duel.rate(hapax).values().get(i) / produced.get(i));
            }
            report.figure("hapax delivered / by hand produced", Spread.of(ratios), Target.atLeast(0.95));
            report.figure("hapax delivered / by hand read", duel.ratio(hapax, watched));
            report.figure("the same by CPU time", duel.cpuRatio(hapax, watched));
            report.figure("last message after its producers' end, ms (hapax)", Spread.of(flow.tails));
            report.checked(
                    "%,d messages of hapax delivered, each once, positions at the end without gaps; the poller by hand skipped %,d of %,d",
                    duel.operations(hapax), LiveFlow.skippedBy(byHand), duel.operations(watched));
        }
    }
}
