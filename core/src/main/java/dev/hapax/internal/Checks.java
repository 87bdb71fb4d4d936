package dev.hapax.internal;

import dev.hapax.Key;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Refuses input that is outside its limits, in words that name the limit, the value and the way out. */
public final class Checks {

    private static final int SHOWN_MAX = 60;

    private Checks() {}

    public static void that(boolean holds, String message, @Nullable Object... args) {
        if (!holds) {
            throw new IllegalArgumentException(String.format(message, args));
        }
    }

    /** Refuses a call that came at the wrong time. */
    public static void state(boolean holds, String message, @Nullable Object... args) {
        if (!holds) {
            throw new IllegalStateException(String.format(message, args));
        }
    }

    /** The name of a scope, a producer, a consumer: short, and safe in a log line, a metric and a URL. */
    public static String name(String what, String value) {
        // The words are made only when they are needed: this is asked of every key.
        if (!isName(value)) {
            throw refused(
                    "%s must be 1 to %d letters, digits, '.', '_', '-' or '/'; it was \"%s\" (%d characters)",
                    what, Key.NAME_LENGTH_MAX, shown(value), value.length());
        }
        return value;
    }

    private static boolean isName(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            boolean allowed = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '-' && c <= '9' || c == '_';
            if (!allowed) {
                return false;
            }
        }
        return !value.isEmpty() && value.length() <= Key.NAME_LENGTH_MAX;
    }

    /** An id, a message key, a topic: any text of 1 to 200 characters without control characters. */
    public static String id(String what, String value) {
        int length = value.codePointCount(0, value.length());
        if (length < 1 || length > Key.ID_LENGTH_MAX) {
            throw refused(
                    "%s must be 1 to %d characters long; it has %d: \"%s\"",
                    what, Key.ID_LENGTH_MAX, length, shown(value));
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if ((c < ' ' || c >= 0x7F) && (Character.isISOControl(c) || isLoneSurrogate(value, i))) {
                throw refused(
                        "%s must not contain control characters or half surrogate pairs; character %d of \"%s\" is U+%04X",
                        what, i + 1, shown(value), (int) c);
            }
        }
        return value;
    }

    private static IllegalArgumentException refused(String message, Object... args) {
        return new IllegalArgumentException(String.format(message, args));
    }

    /** A text for people: not blank, bounded. */
    public static String text(String what, String value, int max) {
        that(
                !value.isBlank() && value.length() <= max,
                "%s must have 1 to %d characters; it has %d",
                what,
                max,
                value.length());
        return value;
    }

    public static Duration duration(String what, Duration value, Duration min, Duration max) {
        that(
                value.compareTo(min) >= 0 && value.compareTo(max) <= 0,
                "%s must be between %s and %s; it was %s",
                what,
                min,
                max,
                value);
        return value;
    }

    public static int range(String what, int value, int min, int max) {
        that(value >= min && value <= max, "%s must be between %d and %d; it was %d", what, min, max, value);
        return value;
    }

    private static boolean isLoneSurrogate(String value, int at) {
        char c = value.charAt(at);
        if (Character.isHighSurrogate(c)) {
            return at + 1 == value.length() || !Character.isLowSurrogate(value.charAt(at + 1));
        }
        return Character.isLowSurrogate(c) && (at == 0 || !Character.isHighSurrogate(value.charAt(at - 1)));
    }

    /** Input is shown escaped and cut, so that it can't forge a log line or flood one. */
    static String shown(String value) {
        StringBuilder out = new StringBuilder();
        value.codePoints().limit(SHOWN_MAX).forEach(c -> {
            if (Character.isISOControl(c) || (c >= 0xD800 && c <= 0xDFFF)) {
                out.append(String.format("\\u%04X", c));
            } else {
                out.appendCodePoint(c);
            }
        });
        return value.codePointCount(0, value.length()) > SHOWN_MAX
                ? out.append('…').toString()
                : out.toString();
    }
}
