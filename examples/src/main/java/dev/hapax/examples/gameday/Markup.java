package dev.hapax.examples.gameday;

import java.util.Locale;

/** Builds HTML and SVG that is well-formed XML: what is text is escaped, and every element is closed. Not thread-safe. */
final class Markup {
    private final StringBuilder text = new StringBuilder();

    /** Markup as it is; numbers in the English way. */
    Markup raw(String format, Object... values) {
        text.append(values.length == 0 ? format : String.format(Locale.ROOT, format, values));
        return this;
    }

    /** An element with text in it. */
    Markup element(String name, String content) {
        return element(name, "", content);
    }

    /**
     * An element with text in it.
     *
     * @param attributes as they are written, escaped
     */
    Markup element(String name, String attributes, String content) {
        text.append('<').append(name);
        if (!attributes.isEmpty()) {
            text.append(' ').append(attributes);
        }
        text.append('>').append(escape(content)).append("</").append(name).append(">\n");
        return this;
    }

    static String escape(String content) {
        return content.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                // What XML can't hold at all.
                .replaceAll("[\\p{Cntrl}&&[^\\n\\t]]", "?");
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
