package dev.hapax.testkit.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.ProofReport;
import org.junit.jupiter.api.Test;

class CatalogCrashTest {

    @Test
    void every_scenario_survives_every_crash_point() {
        long t=System.nanoTime();
        for (ProofReport report : new CrashPoints(EmbeddedDatabase.shared()).explore(Catalog.scenarios())) {
            System.out.println(report.describe());
        }
        System.out.println((System.nanoTime()-t)/1000000+" ms");
    }
}
