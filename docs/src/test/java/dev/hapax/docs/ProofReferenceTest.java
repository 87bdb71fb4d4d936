package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.catalog.Catalog;
import dev.hapax.testkit.catalog.Mutant;
import dev.hapax.testkit.catalog.Mutants;
import dev.hapax.testkit.proof.Invariants;
import dev.hapax.testkit.proof.Scenario;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The page with the numbers of the last full run speaks of what there is now. {@code ./hapax proof page} writes it. */
class ProofReferenceTest {

    private static final Path PAGE = Manual.page("docs/reference/proof.md");
    private static final int POINTS_MIN = 300;
    private static final int RUNS_MIN = 10_000;

    @Test
    void all_scenarios_were_run_in_all_modes_without_a_violation() {
        List<Manual.Row> rows = Manual.rows(Manual.section(PAGE, "Crash points"));
        assertThat(rows)
                .extracting(Manual.Row::name)
                .containsExactlyElementsOf(
                        Catalog.scenarios().stream().map(Scenario::name).toList());
        assertThat(rows).allSatisfy(row -> {
            List<Integer> cells =
                    row.others().stream().map(ProofReferenceTest::number).toList();
            assertThat(cells.getFirst()).as("points").isPositive();
            assertThat(cells.subList(2, cells.size() - 1))
                    .as("runs in each mode, and schedules")
                    .allMatch(runs -> runs > 0);
            assertThat(cells.getLast()).as("violations").isZero();
        });
    }

    @Test
    void the_run_was_as_large_as_it_has_to_be() {
        Matcher sum = Pattern.compile(
                        "([\\d,]+) points \\([\\d,]+ of them passed only under fault\\), ([\\d,]+) runs with a fault,"
                                + ".* 0 violations, 0 points never reached")
                .matcher(Manual.prose(PAGE));
        assertThat(sum.find()).isTrue();
        assertThat(number(sum.group(1))).isGreaterThanOrEqualTo(POINTS_MIN);
        assertThat(number(sum.group(2))).isGreaterThanOrEqualTo(RUNS_MIN);
    }

    @Test
    void each_mutant_was_caught_by_the_invariant_that_is_there_for_it() {
        List<List<String>> rows = Manual.section(PAGE, "Mutants")
                .lines()
                .filter(line -> line.startsWith("| "))
                .map(line -> Arrays.stream(line.substring(1, line.length() - 1).split("\\|", -1))
                        .map(String::strip)
                        .toList())
                .toList();
        List<String> invariants = rows.getFirst().subList(1, rows.getFirst().size());
        assertThat(invariants).containsAll(Invariants.ALL);
        List<Mutant> mutants = Mutants.all();
        assertThat(rows.subList(1, rows.size()))
                .extracting(List::getFirst)
                .containsExactlyElementsOf(mutants.stream().map(Mutant::name).toList());
        for (int i = 0; i < mutants.size(); i++) {
            assertThat(rows.get(i + 1).get(1 + invariants.indexOf(mutants.get(i).invariant())))
                    .as(mutants.get(i).name())
                    .isEqualTo("**caught**");
        }
    }

    private static int number(String text) {
        return Integer.parseInt(text.replace(",", ""));
    }
}
