package dev.hapax.server.command;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/** Values as people read them. */
final class Words {

    private static final long MINUTE = 60;
    private static final long HOUR = 3_600;
    private static final long DAY = 86_400;
    private static final String[] BYTES = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Words() {}

    /** A time that was measured: {@code 0.4 s}, {@code 57 s}, {@code 12 min}, {@code 5 h}, {@code 3 d}. */
    static String about(double seconds) {
        double size = Math.abs(seconds);
        if (size < 10) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        if (size < 2 * MINUTE) {
            return Math.round(seconds) + " s";
        }
        if (size < 2 * HOUR) {
            return Math.round(seconds / MINUTE) + " min";
        }
        return size < 2 * DAY ? Math.round(seconds / HOUR) + " h" : Math.round(seconds / DAY) + " d";
    }

    /** A time that was set, exactly, in its largest whole unit. */
    static String exactly(long seconds) {
        if (seconds % DAY == 0) {
            return seconds / DAY + " d";
        }
        if (seconds % HOUR == 0) {
            return seconds / HOUR + " h";
        }
        return seconds % MINUTE == 0 ? seconds / MINUTE + " min" : seconds + " s";
    }

    static String instant(Instant at) {
        return at.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    static String bytes(long bytes) {
        double size = bytes;
        int unit = 0;
        while (size >= 1024 && unit < BYTES.length - 1) {
            size /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 || size >= 100 ? "%.0f %s" : "%.1f %s", size, BYTES[unit]);
    }

    /** "1 message", "2 messages". */
    static String count(long number, String thing) {
        return number + " " + thing + (number == 1 ? "" : "s");
    }

    /** What others wrote must not move the cursor of who reads it. Line ends stay. */
    static String harmless(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> out.appendCodePoint(c != '\n' && Character.isISOControl(c) ? '\uFFFD' : c));
        return out.toString();
    }
}
