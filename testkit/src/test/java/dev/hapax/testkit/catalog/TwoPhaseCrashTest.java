package dev.hapax.testkit.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.Invariants;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every point of a two-phase commit; prepared transactions are counted in both databases after each. */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class TwoPhaseCrashTest {

    @Test
    void both_databases_have_each_effect_once_and_no_orphan_after_every_crash_point() {
        ProofReport report = new CrashPoints(EmbeddedDatabase.shared())
                .variations(Set.of(Variation.REPEATED, Variation.OTHER_KEYS), 8)
                .pairs(24)
                .withoutLikes()
                .explore(TwoPhaseScenarios.plain());
        assertThat(report.isProven())
                .as(report.describe("./hapax proof crash-points --trial "))
                .isTrue();
        // Prepare, home commit and branch commit, before and after, at least.
        assertThat(report.points()).isGreaterThan(6);
    }

    private static void caught(Scenario<?> scenario, String invariant) {
        assertThat(new Mutant("mutant", scenario, invariant)
                        .run(EmbeddedDatabase.shared())
                        .found())
                .contains(invariant);
    }

    @Test
    void branches_that_are_committed_before_the_home_are_caught() {
        caught(TwoPhaseScenarios.committedBeforeHome(), Invariants.AT_MOST_ONCE);
    }

    @Test
    void recovery_that_rolls_back_without_a_fence_is_caught() {
        caught(TwoPhaseScenarios.rolledBackWithoutFence(), Invariants.ACKNOWLEDGED_IS_APPLIED);
    }

    @Test
    void recovery_that_commits_without_asking_for_the_decision_is_caught() {
        caught(TwoPhaseScenarios.committedWithoutAsking(), Invariants.AT_MOST_ONCE);
    }
}
