package dev.hapax.examples.demo;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a run ended.
 *
 * @param orders what was ordered
 * @param audit what is in the database
 * @param tally what the client saw
 * @param kills how many processes were killed
 * @param nanos from the first request until all was billed
 */
record DemoResult(OrderFile orders, Audit audit, Tally tally, int kills, long nanos) {

    /** Everything agrees: rows with file, and each answer to a line with its first. */
    boolean isExact() {
        Sums ordered = orders.sums();
        return differences().isEmpty()
                && audit.twice() == 0
                && audit.lost() == 0
                && audit.applied().lines() == ordered.lines()
                && audit.applied().quantity() == ordered.quantity()
                && audit.applied().amount().compareTo(ordered.amount()) == 0
                && audit.billed().lines() == ordered.lines()
                && audit.billed().amount().compareTo(ordered.amount()) == 0;
    }

    String verdict() {
        return isExact() ? "exact" : "not exact";
    }

    /** What differs, by how it differs: rows first, then answers. */
    Map<String, List<String>> differences() {
        Map<String, List<String>> all = new LinkedHashMap<>(audit.differences());
        List<String> complaints = new ArrayList<>();
        tally.complaints()
                .forEach((line, complaint) ->
                        complaints.add(orders.lines().get(line).name() + " (" + complaint + ")"));
        if (!complaints.isEmpty()) {
            all.put("wrong answer to", complaints);
        }
        return all;
    }

    double seconds() {
        return nanos / 1e9;
    }

    double linesPerSecond() {
        return orders.sums().lines() / seconds();
    }
}
