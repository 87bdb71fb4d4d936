package dev.hapax.testkit.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.catalog.Catalog;
import dev.hapax.testkit.catalog.Mutant;
import dev.hapax.testkit.catalog.Mutants;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Two processes over one database, one statement at a time, in the order of a seed. */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class InterleavingRaceTest {

    /** The command takes 50 of each. */
    private static final int SCHEDULES = 6;

    static List<Scenario<?>> scenarios() {
        return Catalog.scenarios();
    }

    private static CrashPoints schedules(int count) {
        return new CrashPoints(EmbeddedDatabase.shared()).points(point -> false).schedules(count);
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void two_processes_that_do_the_same_work_apply_it_once_in_whatever_order(Scenario<?> scenario) {
        ProofReport report = schedules(SCHEDULES).explore(scenario);
        assertThat(report.violations()).as(report.describe("")).isEmpty();
        assertThat(report.schedules()).isEqualTo(SCHEDULES);
    }

    @Test
    void a_mutant_that_looks_before_it_writes_is_caught_without_any_fault_and_again_by_the_same_seed() {
        Mutant mutant = Mutants.all().stream()
                .filter(one -> one.name().equals("marker after the effect"))
                .findFirst()
                .orElseThrow();
        ProofReport report = schedules(100).untilFirstViolation().explore(mutant.scenario());
        assertThat(report.violations()).extracting(Violation::invariant).contains(Invariants.AT_MOST_ONCE);
        Trial found = Trial.parse(report.violations().getFirst().trial().toString());
        assertThat(found.seed()).isPositive();
        assertThat(schedules(0).rerun(mutant.scenario(), found).violations())
                .extracting(Violation::invariant)
                .contains(Invariants.AT_MOST_ONCE);
    }
}
