package dev.hapax.testkit.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Variation;
import dev.hapax.testkit.proof.Violation;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MutantsCrashTest {

    static List<Mutant> mutants() {
        return Mutants.all();
    }

    @ParameterizedTest
    @MethodSource("mutants")
    void every_mutant_is_caught_by_the_invariant_that_is_there_for_it(Mutant mutant) {
        ProofReport report = new CrashPoints(EmbeddedDatabase.sharedInMemory())
                .variations(Set.of(Variation.TAKEN_OVER), 0)
                .withoutLikes()
                .untilFirstViolation()
                .explore(mutant.scenario());
        assertThat(report.violations())
                .as("what caught: %s", mutant.name())
                .extracting(Violation::invariant)
                .contains(mutant.invariant());
    }
}
