package dev.hapax.testkit.catalog;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.Mode;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import dev.hapax.testkit.proof.Violation;
import java.util.EnumSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * A wrong implementation, and what must catch it. Immutable.
 *
 * @param name what is wrong, in a few words
 * @param scenario a scenario that runs it
 * @param invariant which invariant must catch it
 */
public record Mutant(String name, Scenario<?> scenario, String invariant) {

    /**
     * What became of it.
     *
     * @param wanted the invariant that must catch it
     * @param found the invariants that did
     */
    public record Verdict(String wanted, Set<String> found) {
        /** {@return whether it was caught by the invariant that is there for it} */
        public boolean isCaught() {
            return found.contains(wanted);
        }
    }

    /**
     * Explores it until something is found.
     *
     * @param server where it gets databases of its own
     * @return what was found
     */
    public Verdict run(EmbeddedDatabase server) {
        return verdict(points(server).untilFirstViolation().explore(scenario));
    }

    /**
     * Explores all of it, to see every invariant that catches it.
     *
     * @param server where it gets databases of its own
     * @return what was found
     */
    public Verdict runWhole(EmbeddedDatabase server) {
        return verdict(points(server).explore(scenario));
    }

    private static CrashPoints points(EmbeddedDatabase server) {
        return new CrashPoints(server)
                .modes(EnumSet.of(Mode.DIES, Mode.LOST_COMMITTED, Mode.PAUSED))
                .variations(Set.of(Variation.TAKEN_OVER), 0)
                .withoutLikes();
    }

    private Verdict verdict(ProofReport report) {
        Set<String> found = new TreeSet<>();
        report.violations().stream().map(Violation::invariant).forEach(found::add);
        return new Verdict(invariant, found);
    }

    @Override
    public String toString() {
        return name;
    }
}
