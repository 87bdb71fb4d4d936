package dev.hapax.internal.consume;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far a reader has come in one lane, as selective acknowledgement (RFC 2018 does the same for TCP): up to {@code low} all is done; above it, up to {@code high}, all but the gaps.
 *
 * <p>A sequence number is drawn before its transaction commits, so a number that is missing may still appear, after higher ones. A gap is such a range of
 * missing numbers. It is given up when every transaction that could have drawn them has ended: their xids are all below a bound that is drawn <em>after</em> a
 * number above the gap was seen, and a snapshot whose xmin has reached the bound sees what they left. Only then, in that very snapshot, is "not there" final.
 *
 * <p>Mutable and used by one thread; {@link #copy} before changes that a failed commit must take back.
 */
public final class Position {

    /** A gap's bound that has not been drawn yet. */
    static final long NO_BOUND = 0;

    /** Numbers that are missing, both ends included. */
    public record Gap(long from, long to, long bound) {}

    private final List<Gap> gaps;
    private long high;

    /** Where the row of this position was left in its table ({@code ctid}); null if that isn't known. It may be wrong, and then nothing is found there. */
    @Nullable
    String place;

    private Position(long high, List<Gap> gaps) {
        this.high = high;
        this.gaps = gaps;
    }

    /**
     * From what is stored.
     *
     * @param done an {@code int8multirange} as PostgreSQL writes it: <code>{[5,9),[12,14)}</code>
     */
    public static Position of(long low, String done) {
        List<Gap> gaps = new ArrayList<>();
        long end = low;
        String inner = done.substring(1, done.length() - 1);
        if (!inner.isEmpty()) {
            for (String range : inner.substring(1, inner.length() - 1).split("\\),\\[")) {
                int comma = range.indexOf(',');
                long from = Long.parseLong(range.substring(0, comma));
                if (from > end + 1) {
                    gaps.add(new Gap(end + 1, from - 1, NO_BOUND));
                }
                end = Long.parseLong(range.substring(comma + 1)) - 1;
            }
        }
        return new Position(end, gaps);
    }

    public Position copy() {
        Position copy = new Position(high, new ArrayList<>(gaps));
        copy.place = place;
        return copy;
    }

    /** All up to here is done. */
    public long low() {
        return gaps.isEmpty() ? high : gaps.getFirst().from() - 1;
    }

    /** The highest number that was seen. */
    public long high() {
        return high;
    }

    public List<Gap> gaps() {
        return gaps;
    }

    /** What is done above {@link #low()}, as an {@code int8multirange}. */
    public String done() {
        if (gaps.isEmpty()) {
            return "{}";
        }
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < gaps.size(); i++) {
            long from = gaps.get(i).to() + 1;
            long to = i + 1 < gaps.size() ? gaps.get(i + 1).from() - 1 : high;
            out.append(i == 0 ? "[" : ",[")
                    .append(from)
                    .append(',')
                    .append(to + 1)
                    .append(')');
        }
        return out.append('}').toString();
    }

    /** Notes that a message is done: one above all others, or one in a gap. */
    public void done(long number) {
        if (number > high) {
            if (number > high + 1) {
                gaps.add(new Gap(high + 1, number - 1, NO_BOUND));
            }
            high = number;
            return;
        }
        for (int i = 0; i < gaps.size(); i++) {
            Gap gap = gaps.get(i);
            if (number >= gap.from() && number <= gap.to()) {
                gaps.remove(i);
                if (number < gap.to()) {
                    gaps.add(i, new Gap(number + 1, gap.to(), gap.bound()));
                }
                if (number > gap.from()) {
                    gaps.add(i, new Gap(gap.from(), number - 1, gap.bound()));
                }
                return;
            }
        }
        throw new IllegalStateException("message " + number + " was done before; the reader would apply it twice");
    }

    /** Whether a message is done. */
    boolean isDone(long number) {
        for (Gap gap : gaps) {
            if (number >= gap.from() && number <= gap.to()) {
                return false;
            }
        }
        return number <= high;
    }

    public boolean isUnbounded() {
        for (Gap gap : gaps) {
            if (gap.bound() == NO_BOUND) {
                return true;
            }
        }
        return false;
    }

    /** Gives the gaps that have none the bound, an xid that was drawn after they were seen. */
    public void bound(long xid) {
        gaps.replaceAll(gap -> gap.bound() == NO_BOUND ? new Gap(gap.from(), gap.to(), xid) : gap);
    }

    /**
     * Gives up what is still missing and can't appear any more.
     *
     * @param xmin of the snapshot in which the gaps were looked at, after what was found there has been taken out
     * @return whether anything was given up
     */
    public boolean giveUp(long xmin) {
        return gaps.removeIf(gap -> gap.bound() != NO_BOUND && Long.compareUnsigned(xmin, gap.bound()) >= 0);
    }

    @Override
    public String toString() {
        return low() + " " + done();
    }
}
