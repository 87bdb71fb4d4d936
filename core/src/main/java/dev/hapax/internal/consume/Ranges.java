package dev.hapax.internal.consume;

import java.util.Arrays;

/** Ranges of numbers, lower end included and upper end not, as they are gathered in a transaction. Used by one thread. */
final class Ranges {

    static final String NONE = "{}";

    private long[] ends = new long[2];
    private int count;

    /** Adds a range that does not overlap those that are there. One that begins where the last ends makes it longer. */
    void add(long from, long to) {
        if (from >= to) {
            return;
        }
        if (count > 0 && ends[count - 1] == from) {
            ends[count - 1] = to;
            return;
        }
        if (count == ends.length) {
            ends = Arrays.copyOf(ends, ends.length * 2);
        }
        ends[count++] = from;
        ends[count++] = to;
    }

    /** As an {@code int8multirange}. */
    @Override
    public String toString() {
        if (count == 0) {
            return NONE;
        }
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < count; i += 2) {
            out.append(i == 0 ? "[" : ",[")
                    .append(ends[i])
                    .append(',')
                    .append(ends[i + 1])
                    .append(')');
        }
        return out.append('}').toString();
    }

    /** Reads an {@code int8multirange} of ranges that are bounded at both ends, as PostgreSQL writes it. */
    static Ranges parse(String text) {
        Ranges ranges = new Ranges();
        String inner = text.substring(1, text.length() - 1);
        if (!inner.isEmpty()) {
            for (String range : inner.substring(1, inner.length() - 1).split("\\),\\[")) {
                int comma = range.indexOf(',');
                ranges.add(Long.parseLong(range.substring(0, comma)), Long.parseLong(range.substring(comma + 1)));
            }
        }
        return ranges;
    }

    boolean isEmpty() {
        return count == 0;
    }

    boolean contains(long number) {
        for (int i = 0; i < count; i += 2) {
            if (number >= ends[i] && number < ends[i + 1]) {
                return true;
            }
        }
        return false;
    }

    /** Adds to another what of a range lies outside of these, which must be in order. */
    void addRest(long from, long to, Ranges other) {
        long at = from;
        for (int i = 0; i < count && at < to; i += 2) {
            if (ends[i + 1] > at && ends[i] < to) {
                other.add(at, Math.min(ends[i], to));
                at = Math.max(at, ends[i + 1]);
            }
        }
        other.add(at, to);
    }
}
