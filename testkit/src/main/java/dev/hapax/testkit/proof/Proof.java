package dev.hapax.testkit.proof;

import java.util.ArrayList;
import java.util.List;

/** What a method with {@link EveryCrashPoint} gets, to describe its scenario by. Not safe for use by many threads. */
public final class Proof {

    private final String name;
    private final List<Scenario<?>> scenarios = new ArrayList<>();

    Proof(String name) {
        this.name = name;
    }

    /**
     * Begins the scenario that is proven; its name is the method's.
     *
     * @param opener builds the service of one process
     * @return the scenario, to be described
     */
    public <S> Scenario<S> of(Scenario.Opener<S> opener) {
        Scenario<S> scenario = Scenario.of(scenarios.isEmpty() ? name : name + "-" + (scenarios.size() + 1), opener);
        scenarios.add(scenario);
        return scenario;
    }

    List<Scenario<?>> scenarios() {
        return scenarios;
    }
}
