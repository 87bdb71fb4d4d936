package dev.hapax.testkit.catalog;

import dev.hapax.testkit.proof.Mode;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sagas that die, fail, lose their connection or are taken over at each durable boundary. */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class SagaCrashTest {

    static List<Scenario<?>> sagas() {
        return SagaScenarios.all();
    }

    @ParameterizedTest
    @MethodSource("sagas")
    void a_saga_survives_every_point(Scenario<?> scenario) {
        CatalogCrashTest.prove(
                CatalogCrashTest.points()
                        // More of all is for the command; the other modes are below.
                        .modes(EnumSet.of(Mode.DIES, Mode.LOST_COMMITTED))
                        .variations(Set.of(Variation.TAKEN_OVER, Variation.REPEATED), 12)
                        .pairs(12),
                scenario);
    }

    /** What can befall a point else, on the saga that takes both ways. */
    @Test
    void a_saga_survives_refusals_lost_statements_and_pauses_at_every_point() {
        CatalogCrashTest.prove(
                CatalogCrashTest.points().modes(EnumSet.complementOf(EnumSet.of(Mode.DIES, Mode.LOST_COMMITTED))),
                SagaScenarios.compensation());
    }
}
