package dev.hapax.testkit.proof;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the exploration of a scenario has shown. Immutable.
 *
 * @param scenario its name
 * @param coverage how many points there are, and at how many something went wrong
 * @param schedules how many interleavings of two processes were run
 * @param runs by mode, how many runs had it at the fault that they were made for; pairs count as runs too
 * @param violations what did not hold
 * @param unreached points that were counted and then not met again, with the run that was to meet them
 */
public record ProofReport(
        String scenario,
        Coverage coverage,
        int schedules,
        Map<Mode, Integer> runs,
        List<Violation> violations,
        List<String> unreached) {

    private static final int SHOWN_MAX = 10;

    /**
     * What was covered. Immutable.
     *
     * @param points how many distinct points there are
     * @param underFault how many of them are passed only after something went wrong, or in a variation
     * @param exercised at how many of them something went wrong, in each mode that can happen there
     */
    public record Coverage(int points, int underFault, int exercised) {}

    /** Copies the collections. */
    public ProofReport {
        runs = Map.copyOf(runs);
        violations = List.copyOf(violations);
        unreached = List.copyOf(unreached);
    }

    /** {@return whether nothing is wrong: no violation, and all points that were to be met were met} */
    public boolean isProven() {
        return violations.isEmpty() && unreached.isEmpty() && exercised() == points();
    }

    /** {@return how many distinct points there are} */
    public int points() {
        return coverage.points();
    }

    /** {@return at how many of them something went wrong, in each mode that can happen there} */
    public int exercised() {
        return coverage.exercised();
    }

    /** {@return the number of runs with a fault} */
    public int faults() {
        return runs.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** {@return one line: how many points, how many faults, how many violations} */
    public String summary() {
        int later = coverage.underFault();
        return scenario + ": " + exercised() + " of " + points() + " points"
                + (later == 0 ? "" : " (" + later + " of them only under fault)") + ", " + faults() + " faults, "
                + (schedules == 0 ? "" : schedules + " schedules, ") + violations.size()
                + " violations" + (unreached.isEmpty() ? "" : ", " + unreached.size() + " unreached");
    }

    /**
     * All that is wrong.
     *
     * @param rerun what stands before a run's text form to make one line that reruns exactly that
     * @return the summary, and what was found
     */
    public String describe(String rerun) {
        StringBuilder text = new StringBuilder(summary()).append('\n');
        Map<String, List<Violation>> byInvariant = new TreeMap<>();
        violations.forEach(v -> byInvariant
                .computeIfAbsent(v.invariant(), i -> new ArrayList<>())
                .add(v));
        byInvariant.forEach((invariant, found) -> {
            text.append("\nviolated: ")
                    .append(invariant)
                    .append(" (")
                    .append(found.size())
                    .append(" times)\n");
            found.stream()
                    .limit(SHOWN_MAX)
                    .forEach(v -> text.append("  ")
                            .append(v.finding())
                            .append("\n    at     ")
                            .append(v.where())
                            .append("\n    rerun  ")
                            .append(rerun)
                            .append(v.trial())
                            .append('\n'));
        });
        unreached.stream()
                .limit(SHOWN_MAX)
                .forEach(point -> text.append("never reached: ").append(point).append('\n'));
        return text.toString();
    }
}
