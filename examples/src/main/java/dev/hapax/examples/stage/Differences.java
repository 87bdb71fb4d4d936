package dev.hapax.examples.stage;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What isn't as it should be, by how it differs. Immutable. */
public final class Differences {
    private static final int SHOWN_MAX = 8;

    private final Map<String, List<String>> all;

    private Differences(Map<String, List<String>> all) {
        this.all = all;
    }

    /**
     * Rows first, then records, then answers.
     *
     * @param orders what was ordered
     * @param audit what is in the database
     * @param published what is on the topic; null if there is none
     * @param tally what the client saw
     * @return all that differs
     */
    public static Differences of(OrderBook orders, Audit audit, @Nullable Published published, Tally tally) {
        Map<String, List<String>> all = new LinkedHashMap<>(audit.differences());
        if (published != null) {
            all.putAll(published.differences());
        }
        List<String> complaints = new ArrayList<>();
        tally.complaints()
                .forEach((line, complaint) -> complaints.add(orders.line(line).name() + " (" + complaint + ")"));
        if (!complaints.isEmpty()) {
            all.put("wrong answer to", complaints);
        }
        return new Differences(all);
    }

    /**
     * These, and others.
     *
     * @param more by how they differ, the keys
     * @return all of them
     */
    public Differences and(Map<String, List<String>> more) {
        Map<String, List<String>> both = new LinkedHashMap<>(all);
        both.putAll(more);
        return new Differences(both);
    }

    /** {@return whether nothing differs} */
    public boolean isEmpty() {
        return all.isEmpty();
    }

    /** {@return by how it differs, the keys of lines, customers or articles} */
    public Map<String, List<String>> all() {
        return all;
    }

    /** {@return for a person: how many of each, and some of them} */
    public List<String> describe() {
        List<String> lines = new ArrayList<>();
        all.forEach((how, keys) -> {
            lines.add("  " + String.format(Locale.ROOT, "%,d", keys.size()) + " " + how);
            keys.stream().limit(SHOWN_MAX).forEach(key -> lines.add("    " + key));
            if (keys.size() > SHOWN_MAX) {
                lines.add("    and " + String.format(Locale.ROOT, "%,d", keys.size() - SHOWN_MAX) + " more");
            }
        });
        return lines;
    }
}
