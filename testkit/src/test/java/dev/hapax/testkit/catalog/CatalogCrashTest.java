package dev.hapax.testkit.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The part of the proof that runs with every build; {@code ./hapax proof crash-points --full} runs all of it. */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class CatalogCrashTest {

    /** What every consumer does alike before and after its work; one scenario is enough for it. */
    private static final Pattern LEASES =
            Pattern.compile("hapax\\.(member|scope|producer)|SET (token|owner|leased_until)|INTO hapax\\.position");

    /** As the build does: what stands for itself, without its likes. The command takes all. */
    static void prove(CrashPoints points, Scenario<?> scenario) {
        ProofReport report = points.withoutLikes().explore(scenario);
        assertThat(report.isProven())
                .as(report.describe("./hapax proof crash-points --trial "))
                .isTrue();
        assertThat(report.points()).isPositive();
    }

    static CrashPoints points() {
        return new CrashPoints(EmbeddedDatabase.shared());
    }

    static List<Scenario<?>> onces() {
        return OnceScenarios.all();
    }

    @ParameterizedTest
    @MethodSource("onces")
    void once_survives_every_point_with_repeats_other_keys_and_pairs_of_faults(Scenario<?> scenario) {
        prove(
                points().variations(Set.of(Variation.REPEATED, Variation.OTHER_KEYS), 8)
                        .pairs(16),
                scenario);
    }

    /** Two of them: one scenario takes half a minute of two processors. The command runs all. */
    static List<Scenario<?>> consumers() {
        return List.of(ConsumerScenarios.effect(), ConsumerScenarios.publishes());
    }

    @ParameterizedTest
    @MethodSource("consumers")
    void a_consumer_survives_every_point_of_its_work_and_a_takeover_there(Scenario<?> scenario) {
        prove(
                points().points(point -> !LEASES.matcher(point.what()).find())
                        .variations(Set.of(Variation.TAKEN_OVER, Variation.LEASES_EXPIRED), 12)
                        .pairs(8),
                scenario);
    }

    @Test
    void a_consumer_survives_every_point_of_keeping_its_leases() {
        prove(points().points(point -> LEASES.matcher(point.what()).find()), ConsumerScenarios.effect());
    }

    @Test
    void housekeeping_survives_every_point() {
        prove(points().pairs(10), HousekeepingScenarios.housekeeping());
    }
}
