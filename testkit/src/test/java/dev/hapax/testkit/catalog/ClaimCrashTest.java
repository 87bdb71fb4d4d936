package dev.hapax.testkit.catalog;

import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Claims at every point, with a bank that honours keys, one that can be asked, one that can't, and one that refuses stale owners. */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ClaimCrashTest {

    static List<Scenario<?>> claims() {
        return Stream.<Scenario<?>>concat(ClaimScenarios.all().stream(), ClaimKindScenarios.all().stream())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("claims")
    void claims_survive_every_point_with_takeovers_repeats_and_pairs_of_faults(Scenario<?> scenario) {
        CatalogCrashTest.prove(
                CatalogCrashTest.points()
                        .variations(Set.of(Variation.TAKEN_OVER, Variation.REPEATED), 12)
                        .pairs(16),
                scenario);
    }
}
