package dev.hapax.internal.once;

import dev.hapax.Key;
import dev.hapax.internal.Days;
import dev.hapax.internal.Names.StoredScope;
import org.jspecify.annotations.Nullable;

/**
 * A key, resolved to where its marker lies.
 *
 * @param day the UTC day of the key's time, in days since 1970; {@link #TIMELESS} for a key without time
 */
public record Marker(
        Key key,
        StoredScope scope,
        int producer,
        long day,
        @Nullable MarkerTable table) {

    static final long TIMELESS = Days.NONE;

    public boolean isTimeless() {
        return day == TIMELESS;
    }

    public MarkerTable tableOrTimeless() {
        return table == null ? MarkerTable.TIMELESS : table;
    }

    /** The day under which an answer is kept: the key's own, or the day of its arrival for a timeless key. */
    public long outcomeDay(long today) {
        return isTimeless() ? today : day;
    }

    @Nullable
    String dayText() {
        return isTimeless() ? null : Days.iso(day);
    }
}
