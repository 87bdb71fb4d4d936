package dev.hapax.internal;

/** What others said went wrong, in words that can be stored. */
public final class Reasons {

    private static final int LENGTH_MAX = 1000;

    private Reasons() {}

    /** Bounded to 1000 characters, never blank, and without characters that a column or a log line can't bear: an exception may quote whatever it was given. */
    public static String cut(String text) {
        String plain = text.codePoints()
                .map(c -> Character.isISOControl(c) || c >= 0xD800 && c <= 0xDFFF ? ' ' : c)
                .limit(LENGTH_MAX)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        return plain.isBlank() ? "?" : plain;
    }
}
