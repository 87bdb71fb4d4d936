package dev.hapax.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every benchmark still runs and finds its own rows right. The figures of such a run mean nothing. */
class QuickBenchmarkTest {

    @TempDir
    Path folder;

    /** Those of {@link QuickOutsideBenchmarkTest} run beside these. */
    static Stream<String> names() {
        return Catalog.ALL.stream().map(Benchmark::name).filter(name -> !QuickOutsideBenchmarkTest.isOutside(name));
    }

    @Tag("slow")
    @ParameterizedTest
    @MethodSource("names")
    void finds_its_rows_right(String name) throws Exception {
        assertRunsQuickly(name, folder);
    }

    static void assertRunsQuickly(String name, Path folder) throws Exception {
        Path file = folder.resolve("figures.json");

        int status = Main.execute(name, "--quick", "--rounds", "1", "--json", file.toString());

        assertThat(status).isZero();
        JsonNode figures = JsonMapper.builder().build().readTree(Files.readString(file));
        assertThat(figures.get("benchmark").asString()).isEqualTo(name);
        assertThat(figures.get("figures").size()).isPositive();
        assertThat(figures.get("checked").size()).isPositive();
        assertThat(figures.get("settings").get("fsync").asString()).isEqualTo("on");
    }

    @Test
    void names_are_listed_and_a_wrong_one_is_refused() {
        assertThat(Main.execute("list")).isZero();
        assertThat(Main.execute("no-such-benchmark")).isEqualTo(2);
    }

    @Test
    void a_figure_is_judged_by_its_median() {
        Report report = new Report(System.out, true);
        report.figure("met", Spread.of(java.util.List.of(0.8, 0.96, 0.97)), Target.atLeast(0.95));
        assertThat(report.isMissed()).isFalse();

        report.figure("missed", Spread.of(java.util.List.of(0.5, 0.94, 2.0)), Target.atLeast(0.95));
        assertThat(report.isMissed()).isTrue();
    }
}
