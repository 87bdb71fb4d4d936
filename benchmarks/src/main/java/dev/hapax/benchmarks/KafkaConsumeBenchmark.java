package dev.hapax.benchmarks;

import dev.hapax.Hapax;
import dev.hapax.consume.Consumer;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.spi.Metrics;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Kafka to PostgreSQL: the position in the transaction of the effects, beside a loop by hand that polls, inserts, commits, and tells Kafka. */
final class KafkaConsumeBenchmark implements Benchmark {

    private static final String TOPIC = "orders";
    private static final int RECORDS = 300_000;
    private static final int ONE_BY_ONE = 5_000;
    private static final int BATCH = 500;
    private static final Duration LONGEST = Duration.ofMinutes(5);

    private final AtomicInteger readers = new AtomicInteger();
    private final AtomicLong applied = new AtomicLong();

    @Override
    public String name() {
        return "kafka-consume";
    }

    @Override
    public String about() {
        return "Kafka to PostgreSQL exactly once, beside poll, INSERT, commit, commitSync by hand";
    }

    /** Counts what was applied, when it is committed. */
    private final class Counting implements Metrics {

        @Override
        public void handled(String consumer, Handling handling, long count) {
            applied.addAndGet(count);
        }
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        int records = (int) plan.rows(RECORDS);
        try (Lab lab = Lab.open(report);
                EmbeddedKafka kafka = EmbeddedKafka.start();
                Hapax hapax = Hapax.on(lab.pool)
                        .name(Lab.SERVICE)
                        .metrics(new Counting())
                        .open()) {
            report.setting(
                    "kafka",
                    "4.3.1, one broker in this JVM, " + TopicRecords.PARTITIONS + " partitions, replication 1");
            TopicRecords.createTable(lab);
            TopicRecords.fill(kafka, TOPIC, records);
            for (int threads : List.of(1, TopicRecords.PARTITIONS)) {
                part(plan, report, new Sides(lab, kafka, hapax, records), threads);
            }
        }
    }

    private void part(Plan plan, Report report, Sides sides, int threads) throws Exception {
        Cell position = sides.hapax("position", threads, false);
        Cell marker = sides.hapax("marker", threads, true);
        Cell byHand = sides.byHand("by hand", threads, sides.records, HandConsumer::together);
        Cell single = sides.byHand("one by one", threads, Math.min(ONE_BY_ONE, sides.records), HandConsumer::oneByOne);
        Duel duel = new Duel(plan, position, marker, byHand, single)
                .withCpuOf(sides.lab)
                .whole()
                .run();
        report.part(String.format(
                "%,d records of 200 bytes, %d %s, %d a transaction",
                sides.records, threads, threads == 1 ? "thread" : "threads", BATCH));
        report.figure("position in the transaction, records/s", duel.rate(position));
        report.figure("with a marker for each record, records/s", duel.rate(marker));
        report.figure("by hand at least once, records/s", duel.rate(byHand));
        report.figure("one transaction for each record, records/s", duel.rate(single));
        report.figure("position in the transaction / by hand", duel.ratio(position, byHand), Target.atLeast(1.0));
        report.figure("the same by CPU time", duel.cpuRatio(position, byHand));
        report.figure("with a marker / by hand", duel.ratio(marker, byHand), Target.atLeast(0.65));
        report.figure("the same by CPU time", duel.cpuRatio(marker, byHand));
        report.figure(
                "position in the transaction / one by one",
                duel.ratio(position, single),
                Target.atLeast(threads == 1 ? 25 : 1));
        report.checked("each run applied every record once, %,d of them", sides.records);
    }

    /** The ways to do it, on the same broker and database. */
    private final class Sides {

        private final Lab lab;
        private final EmbeddedKafka kafka;
        private final Hapax hapax;
        private final int records;

        Sides(Lab lab, EmbeddedKafka kafka, Hapax hapax, int records) {
            this.lab = lab;
            this.kafka = kafka;
            this.hapax = hapax;
            this.records = records;
        }

        Cell hapax(String name, int threads, boolean marks) {
            return new Cell(name) {
                @Override
                Done run(Duration slice) throws Exception {
                    lab.execute("TRUNCATE bench.record_effect");
                    applied.set(0);
                    AtomicLong began = new AtomicLong();
                    ConsumerBuilder builder = TopicRecords.consumer(
                                    hapax,
                                    kafka,
                                    TOPIC,
                                    "reader-" + readers.incrementAndGet(),
                                    () -> began.compareAndSet(0, System.nanoTime()))
                            .concurrency(threads)
                            .batch(BATCH);
                    try (Consumer consumer = (marks ? builder.deduplicateById() : builder).start()) {
                        Waiting.until(LONGEST, consumer.name() + " reads the topic", () -> applied.get() >= records);
                        Done done = new Done(records, System.nanoTime() - began.get());
                        TopicRecords.check(lab, records);
                        return done;
                    }
                }

                @Override
                void check(long operations) {
                    // Each run has counted its own rows.
                }
            };
        }

        Cell byHand(String name, int threads, int count, HandConsumer.Applying applying) {
            return new Cell(name) {
                @Override
                Done run(Duration slice) throws Exception {
                    lab.execute("TRUNCATE bench.record_effect");
                    String group = "by-hand-" + readers.incrementAndGet();
                    Done done = new HandConsumer(lab, kafka.bootstrapServers(), TOPIC, group)
                            .apply(threads, count, applying);
                    TopicRecords.check(lab, done.operations());
                    return done;
                }

                @Override
                void check(long operations) {
                    // Each run has counted its own rows.
                }
            };
        }
    }
}
