package dev.hapax.testkit.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.ProofReport;
import org.junit.jupiter.api.Test;

class CatalogCrashTest {

    @Test
    void every_scenario_survives_every_crash_point() {
        for (ProofReport report : new CrashPoints(EmbeddedDatabase.sharedInMemory())
                .withoutLikes()
                .explore(OnceScenarios.all())) {
            assertThat(report.isProven()).as(report.describe()).isTrue();
        }
    }
}
