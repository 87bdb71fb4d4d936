package dev.hapax.testkit.proof;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One run of a scenario: what goes wrong, and how. Immutable; its text form reruns exactly that.
 *
 * @param scenario the scenario's name
 * @param variation how operations come in
 * @param faults none for a clean run, one, or more in the order of their points
 * @param seed what decides the order in which two processes take their steps; 0 for one process
 */
public record Trial(String scenario, Variation variation, List<Fault> faults, long seed) {

    private static final String SEED = "seed=";

    /** Copies the list. */
    public Trial {
        faults = List.copyOf(faults);
    }

    /** A run of one process. */
    public Trial(String scenario, Variation variation, List<Fault> faults) {
        this(scenario, variation, faults, 0);
    }

    /**
     * Reads what {@link #toString()} writes.
     *
     * @throws IllegalArgumentException if it is not of the form {@code scenario/VARIATION/12:DIES,14:FAILS_ONCE}
     */
    public static Trial parse(String text) {
        String[] parts = text.split("/", 3);
        if (parts.length < 2) {
            throw new IllegalArgumentException(
                    "a run is written as SCENARIO/VARIATION/FAULTS, such as once-plain/ALONE/12:DIES, not as " + text);
        }
        List<Fault> faults = new ArrayList<>();
        if (parts.length == 3 && parts[2].startsWith(SEED)) {
            return new Trial(
                    parts[0], Variation.valueOf(parts[1]), faults, Long.parseLong(parts[2].substring(SEED.length())));
        }
        if (parts.length == 3 && !parts[2].isEmpty()) {
            for (String fault : parts[2].split(",", -1)) {
                faults.add(Fault.parse(fault));
            }
        }
        return new Trial(parts[0], Variation.valueOf(parts[1]), faults);
    }

    @Override
    public String toString() {
        if (seed != 0) {
            return scenario + "/" + variation + "/" + SEED + seed;
        }
        return scenario + "/" + variation + "/"
                + faults.stream().map(Fault::toString).collect(Collectors.joining(","));
    }
}
