package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Audit;
import dev.hapax.examples.stage.Differences;
import dev.hapax.examples.stage.OrderBook;
import dev.hapax.examples.stage.Tally;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * How a game day ended.
 *
 * @param orders what could be ordered
 * @param audit what is in the database
 * @param tally what the client saw
 * @param incidents the faults that happened
 * @param course how it went over time
 */
record GameDayResult(
        GameDayPlan plan, OrderBook orders, Audit audit, Tally tally, List<Incident> incidents, Course course) {
    private static final int KEYS_MAX = 100;

    /** Rows agree with what was ordered, each answer to a line with its first, and every fault was got over. */
    boolean isExact() {
        return audit.isExact() && violations().isEmpty();
    }

    String verdict() {
        return isExact() ? "exact" : "not exact";
    }

    Differences differences() {
        return Differences.of(orders, audit, null, tally);
    }

    /** What is not as it must be, one thing each; of many keys of one sort, the first ones. */
    List<String> violations() {
        List<String> violations = new ArrayList<>();
        differences().all().forEach((how, keys) -> {
            keys.stream().limit(KEYS_MAX).forEach(key -> violations.add(how + ": " + key));
            if (keys.size() > KEYS_MAX) {
                violations.add(String.format(Locale.ROOT, "%s: %,d more", how, keys.size() - KEYS_MAX));
            }
        });
        violations.addAll(stalls());
        return violations;
    }

    /** Faults that were not got over. */
    List<String> stalls() {
        return incidents.stream()
                .filter(incident -> incident.recovery().isEmpty())
                .map(incident -> String.format(
                        Locale.ROOT,
                        "no recovery within %d s: %s at %.1f s",
                        Faults.PATIENCE.toSeconds(),
                        incident.kind().flag(),
                        incident.at().toMillis() / 1e3))
                .toList();
    }

    /** The kinds that were wanted and for which there was no time. */
    Set<FaultKind> missing() {
        Set<FaultKind> missing = EnumSet.noneOf(FaultKind.class);
        missing.addAll(plan.kinds());
        incidents.forEach(incident -> missing.remove(incident.kind()));
        return missing;
    }
}
