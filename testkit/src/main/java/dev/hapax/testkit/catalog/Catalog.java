package dev.hapax.testkit.catalog;

import dev.hapax.testkit.proof.Scenario;
import java.util.ArrayList;
import java.util.List;

/** All scenarios that Hapax itself is proven by. */
public final class Catalog {

    private Catalog() {}

    /** {@return the scenarios, made anew} */
    public static List<Scenario<?>> scenarios() {
        List<Scenario<?>> all = new ArrayList<>(OnceScenarios.all());
        all.addAll(ConsumerScenarios.all());
        all.addAll(HousekeepingScenarios.all());
        all.addAll(TwoPhaseScenarios.all());
        all.addAll(ClaimScenarios.all());
        all.addAll(SagaScenarios.all());
        all.addAll(ClaimKindScenarios.all());
        all.addAll(EventScenarios.all());
        return all;
    }
}
