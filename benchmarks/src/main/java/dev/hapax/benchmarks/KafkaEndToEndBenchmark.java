package dev.hapax.benchmarks;

import dev.hapax.consume.Start;
import dev.hapax.kafka.KafkaRelay.Mode;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** From a commit that publishes, by way of log and Kafka, to the commit of the effect: what exactness costs beside at least once. */
final class KafkaEndToEndBenchmark implements Benchmark {

    private static final int MESSAGES = 200_000;
    private static final int PRODUCERS = 4;
    private static final Duration LONGEST = Duration.ofMinutes(5);

    private final AtomicInteger flows = new AtomicInteger();

    @Override
    public String name() {
        return "kafka-end-to-end";
    }

    @Override
    public String about() {
        return "once, log, Kafka, consumer, effect: exactly once beside at least once";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab exactly = Lab.open(report);
                Lab atLeast = exactly.beside();
                EmbeddedKafka kafka = EmbeddedKafka.start()) {
            report.setting(
                    "kafka",
                    "4.3.1, one broker in this JVM, " + TopicRecords.PARTITIONS + " partitions, replication 1");
            TopicRecords.createTable(exactly);
            TopicRecords.createTable(atLeast);
            latency(plan, report, kafka, exactly, atLeast);
            drain(plan, report, kafka, exactly, atLeast);
        }
    }

    // --------------------------------------------------------------------------------------------------------- latency

    /** One side, its messages and when they were there. */
    private static final class Side {

        private final Messages messages;
        private final Arrivals arrivals = new Arrivals();
        private final List<double[]> idle = new ArrayList<>();
        private final List<double[]> paced = new ArrayList<>();
        private final List<double[]> full = new ArrayList<>();

        Side(Lab lab) {
            this.messages = new Messages(lab);
        }

        void send() throws Exception {
            arrivals.committed(messages.once("hapax", Ids.next()));
        }

        private interface Producing {
            void run() throws Exception;
        }

        double[] round(Producing producing) throws Exception {
            arrivals.begin(messages.published());
            producing.run();
            arrivals.awaitAll(messages.published());
            return arrivals.percentiles();
        }
    }

    private void latency(Plan plan, Report report, EmbeddedKafka kafka, Lab exactlyLab, Lab atLeastLab)
            throws Exception {
        Side exactly = new Side(exactlyLab);
        Side atLeast = new Side(atLeastLab);
        Duration slice = Duration.ofNanos((long) (plan.seconds() * 1e9));
        try (Crew crew = new Crew(PRODUCERS);
                EndToEndFlow one = EndToEndFlow.start(
                        exactlyLab, kafka, "exactly", Mode.EXACTLY_ONCE, Start.NOW, exactly.arrivals::arrived);
                EndToEndFlow other = EndToEndFlow.start(
                        atLeastLab, kafka, "at-least", Mode.AT_LEAST_ONCE, Start.NOW, atLeast.arrivals::arrived)) {
            for (int round = -1; round < plan.rounds(); round++) {
                for (Side side : List.of(exactly, atLeast)) {
                    double[] alone = side.round(() -> idle(slice, side));
                    double[] paced = side.round(() -> new PacedProducers(crew).run(slice, side::send));
                    double[] full = side.round(() -> crew.run(slice, () -> {
                        side.send();
                        return 1;
                    }));
                    if (round >= 0) {
                        side.idle.add(alone);
                        side.paced.add(paced);
                        side.full.add(full);
                    }
                }
            }
        }
        TopicRecords.check(exactlyLab, exactly.messages.published());
        TopicRecords.check(atLeastLab, atLeast.messages.published());
        tell(report, "exactly once", exactly);
        tell(report, "at least once", atLeast);
        report.checked(
                "%,d and %,d messages took effect, each once",
                exactly.messages.published(), atLeast.messages.published());
    }

    private static void tell(Report report, String name, Side side) {
        report.part(name + ", commit of the operation to commit of the effect");
        report.figure("idle, median ms", LatencyBenchmark.column(side.idle, 0));
        report.figure("idle, p99 ms", LatencyBenchmark.column(side.idle, 1));
        report.figure("500 messages/s, median ms", LatencyBenchmark.column(side.paced, 0));
        report.figure("500 messages/s, p99 ms", LatencyBenchmark.column(side.paced, 1));
        report.figure(PRODUCERS + " producers at full speed, median ms", LatencyBenchmark.column(side.full, 0));
        report.figure(PRODUCERS + " producers at full speed, p99 ms", LatencyBenchmark.column(side.full, 1));
        report.figure(PRODUCERS + " producers at full speed, messages/s", LatencyBenchmark.column(side.full, 2));
    }

    /** One message now and then: everybody has gone to the longest pause before each. */
    private static void idle(Duration slice, Side side) throws Exception {
        long until = System.nanoTime() + slice.toNanos();
        do {
            Waiting.untilNanos(System.nanoTime()
                    + Duration.ofMillis(ThreadLocalRandom.current().nextLong(20, 60))
                            .toNanos());
            side.send();
        } while (System.nanoTime() - until < 0);
    }

    // ------------------------------------------------------------------------------------------------------ under load

    private void drain(Plan plan, Report report, EmbeddedKafka kafka, Lab exactlyLab, Lab atLeastLab) throws Exception {
        int count = (int) plan.rows(MESSAGES) / 16 * 16;
        for (Lab lab : List.of(exactlyLab, atLeastLab)) {
            lab.execute("DELETE FROM hapax.log");
            DrainBenchmark.fillLog(lab, count);
        }
        Cell exactly = draining(exactlyLab, kafka, Mode.EXACTLY_ONCE, count);
        Cell atLeast = draining(atLeastLab, kafka, Mode.AT_LEAST_ONCE, count);
        Duel duel =
                new Duel(plan, exactly, atLeast).withCpuOf(exactlyLab).whole().run();
        report.part(String.format("%,d waiting messages of 200 bytes, log to effect", count));
        report.figure("exactly once, messages/s", duel.rate(exactly));
        report.figure("at least once, messages/s", duel.rate(atLeast));
        report.figure("exactly once / at least once", duel.ratio(exactly, atLeast));
        report.figure("the same by CPU time", duel.cpuRatio(exactly, atLeast));
        report.checked("each run had every effect once, %,d of them", count);
    }

    private Cell draining(Lab lab, EmbeddedKafka kafka, Mode mode, int count) {
        return new Cell(mode.name()) {
            @Override
            Done run(Duration slice) throws Exception {
                lab.execute("TRUNCATE bench.record_effect");
                Seen seen = new Seen(count);
                try (EndToEndFlow flow = EndToEndFlow.start(
                        lab, kafka, "drain-" + flows.incrementAndGet(), mode, Start.BEGINNING, seen::add)) {
                    long began = System.nanoTime();
                    long before = seen.count();
                    Waiting.until(LONGEST, "all of the log has taken effect", () -> seen.count() >= count);
                    Done done = new Done(count - before, System.nanoTime() - began);
                    TopicRecords.check(lab, count);
                    return done;
                }
            }

            @Override
            void check(long operations) {
                // Each run has counted its own rows.
            }
        };
    }
}
