package dev.hapax.testkit.catalog;

import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Events and the rows made from them, at every point. */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class EventCrashTest {

    static List<Scenario<?>> events() {
        return EventScenarios.all();
    }

    @ParameterizedTest
    @MethodSource("events")
    void events_are_appended_once_at_their_version_and_projected_once_wherever_a_process_dies(Scenario<?> scenario) {
        CatalogCrashTest.prove(
                CatalogCrashTest.points()
                        .variations(Set.of(Variation.REPEATED, Variation.OTHER_KEYS), 8)
                        .pairs(16),
                scenario);
    }
}
