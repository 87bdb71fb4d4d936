package dev.hapax.internal;

import java.time.LocalDate;
import java.time.format.DateTimeFormatter;

/** UTC days as numbers, and as they appear in the names of partitions. */
public final class Days {

    public static final long MILLIS = 86_400_000L;

    /** No day. */
    public static final long NONE = Long.MIN_VALUE;

    private Days() {}

    public static long of(long epochMillis) {
        return Math.floorDiv(epochMillis, MILLIS);
    }

    /** {@code 2026-11-24} */
    public static String iso(long epochDay) {
        return LocalDate.ofEpochDay(epochDay).toString();
    }

    /** {@code 20261124} */
    public static String compact(long epochDay) {
        return LocalDate.ofEpochDay(epochDay).format(DateTimeFormatter.BASIC_ISO_DATE);
    }

    public static long ofCompact(String text) {
        return LocalDate.parse(text, DateTimeFormatter.BASIC_ISO_DATE).toEpochDay();
    }
}
