package dev.hapax.benchmarks;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** As {@link QuickBenchmarkTest}, of what goes beyond the one database: Kafka, claims, sagas, two-phase commit. */
@Tag("slow")
class QuickOutsideBenchmarkTest {

    @TempDir
    Path folder;

    static boolean isOutside(String name) {
        return Stream.of("kafka-", "claim", "saga", "two-phase").anyMatch(name::startsWith);
    }

    static Stream<String> names() {
        return Catalog.ALL.stream().map(Benchmark::name).filter(QuickOutsideBenchmarkTest::isOutside);
    }

    @ParameterizedTest
    @MethodSource("names")
    void finds_its_rows_right(String name) throws Exception {
        QuickBenchmarkTest.assertRunsQuickly(name, folder);
    }
}
