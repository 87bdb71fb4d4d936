package dev.hapax.benchmarks;

import dev.hapax.Hapax;
import dev.hapax.consume.Start;
import dev.hapax.kafka.KafkaRelay;
import dev.hapax.kafka.KafkaRelay.Mode;
import dev.hapax.kafka.KafkaRelay.State;
import dev.hapax.spi.Metrics;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** The log to Kafka: exactly once beside the same relay with a plain idempotent producer, and how long a commit takes to be seen on the topic. */
final class KafkaRelayBenchmark implements Benchmark {

    private static final int MESSAGES = 300_000;
    private static final int PARTITIONS = 4;
    private static final int PRODUCERS = 4;
    private static final Duration LONGEST = Duration.ofMinutes(5);

    private final AtomicInteger relays = new AtomicInteger();
    private final AtomicLong published = new AtomicLong();

    @Override
    public String name() {
        return "kafka-relay";
    }

    @Override
    public String about() {
        return "the log to Kafka, exactly once, beside an idempotent producer; commit to a reader of committed records";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report);
                EmbeddedKafka kafka = EmbeddedKafka.start();
                Hapax hapax = Hapax.on(lab.pool)
                        .name(Lab.SERVICE)
                        .metrics(new Counting())
                        .open()) {
            report.setting("kafka", "4.3.1, one broker in this JVM, " + PARTITIONS + " partitions, replication 1");
            drain(plan, report, lab, kafka, hapax);
            latency(plan, report, lab, kafka, hapax);
        }
    }

    /** Counts what a relay has published, when it is certain. */
    private final class Counting implements Metrics {

        @Override
        public void handled(String consumer, Handling handling, long count) {
            if (handling == Handling.APPLIED) {
                published.addAndGet(count);
            }
        }
    }

    private KafkaRelay start(EmbeddedKafka kafka, Hapax hapax, String name, Mode mode, Start from) throws Exception {
        kafka.createTopic(name, PARTITIONS);
        KafkaRelay relay = KafkaRelay.of(hapax, name)
                .topic(Messages.TOPIC, name)
                .producer(Map.of("bootstrap.servers", kafka.bootstrapServers()))
                .mode(mode)
                .startFrom(from)
                .replication(1)
                .start();
        Waiting.until(LONGEST, "relay " + name + " is connected", () -> relay.state() == State.RUNNING);
        return relay;
    }

    // ------------------------------------------------------------------------------------------------------ under load

    private void drain(Plan plan, Report report, Lab lab, EmbeddedKafka kafka, Hapax hapax) throws Exception {
        int messages = (int) plan.rows(MESSAGES) / 16 * 16;
        DrainBenchmark.fillLog(lab, messages);
        Cell exactly = draining(kafka, hapax, Mode.EXACTLY_ONCE, messages);
        Cell atLeast = draining(kafka, hapax, Mode.AT_LEAST_ONCE, messages);
        Duel duel = new Duel(plan, exactly, atLeast).withCpuOf(lab).whole().run();
        report.part(String.format("%,d waiting messages of 200 bytes", messages));
        report.figure("exactly once, messages/s", duel.rate(exactly));
        report.figure("idempotent producer, messages/s", duel.rate(atLeast));
        report.figure("exactly once / idempotent producer", duel.ratio(exactly, atLeast), Target.atLeast(0.8));
        report.figure("the same by CPU time", duel.cpuRatio(exactly, atLeast));
        report.checked("each relay published all %,d; every topic has each once", messages);
        lab.execute("DELETE FROM hapax.log");
    }

    private Cell draining(EmbeddedKafka kafka, Hapax hapax, Mode mode, int messages) {
        return new Cell(mode.name()) {
            private String last = "";

            @Override
            Done run(Duration slice) throws Exception {
                last = "drain-" + relays.incrementAndGet();
                published.set(0);
                try (KafkaRelay relay = start(kafka, hapax, last, mode, Start.BEGINNING)) {
                    long began = System.nanoTime();
                    long before = published.get();
                    Waiting.until(LONGEST, relay.name() + " drains the log", () -> published.get() >= messages);
                    // What was published while it was seen to be connected does not count.
                    return new Done(messages - before, System.nanoTime() - began);
                }
            }

            @Override
            void check(long operations) throws Exception {
                try (TopicReader reader = new TopicReader(kafka, last, PARTITIONS)) {
                    Seen seen = new Seen(messages);
                    reader.toTheEnd(record -> seen.add(Messages.number(record.value())));
                    WrongRows.unlessEqual("different messages on " + last, messages, seen.count());
                    WrongRows.unlessEqual("messages that are twice on " + last, 0, seen.twice());
                }
            }
        };
    }

    // --------------------------------------------------------------------------------------------------------- latency

    private void latency(Plan plan, Report report, Lab lab, EmbeddedKafka kafka, Hapax hapax) throws Exception {
        String name = "latency";
        Messages messages = new Messages(lab);
        Arrivals arrivals = new Arrivals();
        List<double[]> idle = new ArrayList<>();
        List<double[]> paced = new ArrayList<>();
        List<double[]> loaded = new ArrayList<>();
        Duration slice = Duration.ofNanos((long) (plan.seconds() * 1e9));
        try (Crew crew = new Crew(PRODUCERS);
                KafkaRelay relay = start(kafka, hapax, name, Mode.EXACTLY_ONCE, Start.NOW);
                TopicReader reader = new TopicReader(kafka, name, PARTITIONS)
                        .follow(record -> arrivals.arrived(Messages.number(record.value())))) {
            for (int round = -1; round < plan.rounds(); round++) {
                double[] alone = round(messages, arrivals, () -> idle(slice, messages, arrivals));
                double[] steady = round(
                        messages,
                        arrivals,
                        () -> new PacedProducers(crew)
                                .run(slice, () -> arrivals.committed(messages.once("hapax", Ids.next()))));
                double[] full = round(
                        messages,
                        arrivals,
                        () -> crew.run(slice, () -> {
                            arrivals.committed(messages.once("hapax", Ids.next()));
                            return 1;
                        }));
                if (round >= 0) {
                    idle.add(alone);
                    paced.add(steady);
                    loaded.add(full);
                }
            }
            Messages.checkAtTheEnd(lab, relay.name());
            WrongRows.unlessEqual("messages read from the topic", messages.published(), reader.count());
        }
        report.part("commit to a reader of committed records");
        report.figure("idle, median ms", LatencyBenchmark.column(idle, 0));
        report.figure("idle, p99 ms", LatencyBenchmark.column(idle, 1), Target.atMost(50));
        report.figure("500 messages/s, median ms", LatencyBenchmark.column(paced, 0));
        report.figure("500 messages/s, p99 ms", LatencyBenchmark.column(paced, 1));
        report.figure(PRODUCERS + " producers at full speed, median ms", LatencyBenchmark.column(loaded, 0));
        report.figure(
                PRODUCERS + " producers at full speed, p99 ms", LatencyBenchmark.column(loaded, 1), Target.atMost(250));
        report.figure(PRODUCERS + " producers at full speed, messages/s", LatencyBenchmark.column(loaded, 2));
        report.checked("%,d messages arrived, each once", messages.published());
    }

    private interface Producing {
        void run() throws Exception;
    }

    private static double[] round(Messages messages, Arrivals arrivals, Producing producing) throws Exception {
        arrivals.begin(messages.published());
        producing.run();
        arrivals.awaitAll(messages.published());
        return arrivals.percentiles();
    }

    /** One message now and then: the relay has gone to its longest pause before each. */
    private static void idle(Duration slice, Messages messages, Arrivals arrivals) throws Exception {
        long until = System.nanoTime() + slice.toNanos();
        do {
            Waiting.untilNanos(System.nanoTime()
                    + Duration.ofMillis(ThreadLocalRandom.current().nextLong(20, 60))
                            .toNanos());
            arrivals.committed(messages.once("hapax", Ids.next()));
        } while (System.nanoTime() - until < 0);
    }
}
