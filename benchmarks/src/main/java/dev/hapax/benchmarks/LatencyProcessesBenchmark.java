package dev.hapax.benchmarks;

import dev.hapax.testkit.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** From commit in one process to the handler in another, at 500 messages a second. */
final class LatencyProcessesBenchmark implements Benchmark {

    private static final Duration ANSWERS_WITHIN = Duration.ofMinutes(1);

    @Override
    public String name() {
        return "latency-processes";
    }

    @Override
    public String about() {
        return "commit in one process to the handler in another, at 500 messages/s";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        Path folder = Files.createTempDirectory("hapax-bench");
        try (Lab lab = Lab.open(report);
                Crew producers = new Crew(PacedProducers.THREADS);
                ChildJvm reader = ChildJvm.of(ReaderProcess.class)
                        .jvm("-XX:TieredStopAtLevel=4")
                        .heap(256)
                        .arguments(lab.jdbcUrl(), "consume")
                        .start()) {
            reader.awaitLine("reading", ANSWERS_WITHIN);
            Messages messages = new Messages(lab);
            PacedProducers paced = new PacedProducers(producers);
            Arrivals arrivals = new Arrivals();
            List<double[]> rounds = new ArrayList<>();
            Duration time = Duration.ofNanos((long) (plan.seconds() * 1e9));
            for (int round = -1; round < plan.rounds(); round++) {
                arrivals.begin(messages.published());
                paced.run(time, () -> arrivals.committed(messages.once("hapax", Ids.next())));
                Path file = folder.resolve("round-" + round);
                reader.send(messages.published() + " " + file);
                reader.awaitLine("wrote " + file, ANSWERS_WITHIN);
                read(file, arrivals);
                Files.delete(file);
                arrivals.awaitAll(messages.published());
                if (round >= 0) {
                    rounds.add(arrivals.percentiles());
                }
            }
            Messages.checkAtTheEnd(lab, ReaderProcess.CONSUMER);
            WrongRows.unlessEqual(
                    "messages in the log", messages.published(), lab.number("SELECT count(*) FROM hapax.log"));
            report.part("two processes, " + PacedProducers.PER_SECOND + " messages/s");
            report.figure("hapax, median ms", LatencyBenchmark.column(rounds, 0));
            report.figure("hapax, p99 ms", LatencyBenchmark.column(rounds, 1), Target.atMost(25));
            report.figure("messages/s", LatencyBenchmark.column(rounds, 2));
            report.checked("%,d messages arrived in the other process, each once", messages.published());
        } finally {
            Files.delete(folder);
        }
    }

    private static void read(Path file, Arrivals arrivals) throws java.io.IOException {
        for (String line : Files.readAllLines(file)) {
            int space = line.indexOf(' ');
            arrivals.arrivedAt(Integer.parseInt(line.substring(0, space)), Long.parseLong(line.substring(space + 1)));
        }
    }
}
