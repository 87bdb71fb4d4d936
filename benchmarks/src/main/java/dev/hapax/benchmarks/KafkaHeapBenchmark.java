package dev.hapax.benchmarks;

import dev.hapax.testkit.ChildJvm;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A consumer in a JVM of its own with a heap of 128 MiB, and a million records that wait for it. */
final class KafkaHeapBenchmark implements Benchmark {

    private static final String TOPIC = "waiting";
    private static final int RECORDS = 1_000_000;
    private static final int HEAP_MEBIBYTES = 128;
    private static final Duration LONGEST = Duration.ofMinutes(10);

    @Override
    public String name() {
        return "kafka-heap";
    }

    @Override
    public String about() {
        return "1,000,000 waiting records to a consumer whose JVM has a heap of " + HEAP_MEBIBYTES + " MiB";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        int records = (int) plan.rows(RECORDS);
        List<Double> rates = new ArrayList<>();
        List<Double> peaks = new ArrayList<>();
        try (Lab lab = Lab.open(report);
                EmbeddedKafka kafka = EmbeddedKafka.start()) {
            report.setting(
                    "kafka",
                    "4.3.1, one broker in this JVM, " + TopicRecords.PARTITIONS + " partitions, replication 1");
            TopicRecords.createTable(lab);
            TopicRecords.fill(kafka, TOPIC, records);
            for (int round = 0; round < plan.rounds(); round++) {
                lab.execute("TRUNCATE bench.record_effect");
                try (ChildJvm child = ChildJvm.of(TopicReaderProcess.class)
                        .name("consumer-" + round)
                        .heap(HEAP_MEBIBYTES)
                        .jvm("-XX:TieredStopAtLevel=4", "-XX:+ExitOnOutOfMemoryError")
                        .jvm("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                        .arguments(
                                lab.jdbcUrl(),
                                kafka.bootstrapServers(),
                                TOPIC,
                                "heap-" + round,
                                Integer.toString(records))
                        .start()) {
                    String[] done = child.awaitLine(TopicReaderProcess.DONE, LONGEST)
                            .substring(TopicReaderProcess.DONE.length())
                            .split(" ");
                    rates.add(records * 1e9 / Long.parseLong(done[0]));
                    peaks.add(Long.parseLong(done[1]) / 1048576.0);
                }
                TopicRecords.check(lab, records);
            }
        }
        report.part(String.format("%,d records of 200 bytes, -Xmx%dm", records, HEAP_MEBIBYTES));
        report.figure("records/s", Spread.of(rates));
        report.figure("most heap in use, MiB", Spread.of(peaks), Target.atMost(HEAP_MEBIBYTES));
        report.checked("each run applied every record once, %,d of them, and ended by itself", records);
    }
}
