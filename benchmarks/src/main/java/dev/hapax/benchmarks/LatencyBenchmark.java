package dev.hapax.benchmarks;

import dev.hapax.consume.Consumer;
import dev.hapax.consume.Start;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** From commit to handler in one process, at 500 messages a second. */
final class LatencyBenchmark implements Benchmark {

    @Override
    public String name() {
        return "latency";
    }

    @Override
    public String about() {
        return "commit to handler in one process at 500 messages/s, beside a 1 ms poller by hand";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report);
                Crew producers = new Crew(PacedProducers.THREADS)) {
            Messages messages = new Messages(lab);
            Arrivals hapaxArrivals = new Arrivals();
            Arrivals handArrivals = new Arrivals();
            List<double[]> hapax = new ArrayList<>();
            List<double[]> byHand = new ArrayList<>();
            try (Consumer consumer = Messages.consumer(lab.hapax, "latency", hapaxArrivals::arrived)
                            .startFrom(Start.NOW)
                            .start();
                    OutboxPoller poller = new OutboxPoller(
                                    lab, "latency", body -> handArrivals.arrived(Messages.number(body)))
                            .start()) {
                Messages.awaitStarted(lab, consumer.name());
                PacedProducers paced = new PacedProducers(producers);
                Duration slice = Duration.ofNanos((long) (plan.seconds() * 1e9));
                for (int round = -1; round < plan.rounds(); round++) {
                    poller.pause(true);
                    hapaxArrivals.begin(messages.published());
                    paced.run(slice, () -> hapaxArrivals.committed(messages.once("hapax", Ids.next())));
                    hapaxArrivals.awaitAll(messages.published());
                    poller.pause(false);
                    handArrivals.begin(messages.publishedByHand());
                    paced.run(
                            slice,
                            () -> handArrivals.committed(messages.byHand("by hand", Ids.next(), messages::outbox)));
                    handArrivals.awaitMost(messages.publishedByHand());
                    if (round >= 0) {
                        hapax.add(hapaxArrivals.percentiles());
                        byHand.add(handArrivals.percentiles());
                    }
                }
                Messages.checkAtTheEnd(lab, consumer.name());
            }
            WrongRows.unlessEqual(
                    "messages in the log", messages.published(), lab.number("SELECT count(*) FROM hapax.log"));
            report.part("one process, " + PacedProducers.PER_SECOND + " messages/s");
            report.figure("hapax, median ms", column(hapax, 0));
            report.figure("by hand, median ms", column(byHand, 0));
            report.figure("hapax, p99 ms", column(hapax, 1));
            report.figure("by hand, p99 ms", column(byHand, 1));
            report.figure("p99: hapax / by hand", ratio(hapax, byHand), Target.atMost(1.5));
            report.figure("messages/s, hapax", column(hapax, 2));
            report.figure("messages/s, by hand", column(byHand, 2));
            report.checked(
                    "%,d messages of hapax arrived, each once; of %,d by hand %,d never arrived",
                    messages.published(), messages.publishedByHand(), handArrivals.missing(messages.publishedByHand()));
        }
    }

    static Spread column(List<double[]> rounds, int column) {
        return Spread.of(rounds.stream().map(round -> round[column]).toList());
    }

    private static Spread ratio(List<double[]> above, List<double[]> below) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < above.size(); i++) {
            ratios.add(above.get(i)[1] / below.get(i)[1]);
        }
        return Spread.of(ratios);
    }
}
