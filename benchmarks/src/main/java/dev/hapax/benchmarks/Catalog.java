package dev.hapax.benchmarks;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** All benchmarks. */
final class Catalog {

    static final List<Benchmark> ALL = List.of(
            new OnceBenchmark(),
            new OnceRepeatsBenchmark(),
            new OnceStatementBenchmark(),
            new OnceBatchBenchmark(),
            new RedeliveryStormBenchmark(),
            new ClaimBenchmark(),
            new PublishBenchmark(),
            new DeliveryBenchmark(),
            new DrainBenchmark(),
            new LatencyBenchmark(),
            new LatencyProcessesBenchmark(),
            new IdleBenchmark(),
            new KafkaRelayBenchmark(),
            new KafkaConsumeBenchmark(),
            new KafkaEndToEndBenchmark(),
            new KafkaHeapBenchmark(),
            new FlatBacklogBenchmark(),
            new FlatOpenTransactionBenchmark(),
            new TwoPhaseBenchmark(),
            new SagaBenchmark(),
            new SagaSleepingBenchmark(),
            new MarkersBenchmark(),
            new DropDayBenchmark());

    private Catalog() {}

    static @Nullable Benchmark find(String name) {
        for (Benchmark benchmark : ALL) {
            if (benchmark.name().equals(name)) {
                return benchmark;
            }
        }
        return null;
    }
}
