package dev.hapax.server.command;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * How rows of one kind are shown: as an aligned table, one row as a card, or as JSON. Each column is named once for all of them. Not safe for use by many threads.
 *
 * @param <T> a row
 */
final class Listing<T> {

    private static final int CELL_MAX = 80;
    private static final String NOTHING = "-";
    private static final JsonFactory JSON = JsonFactory.builder().build();

    /** How a value is shown to people; JSON has it as it is. */
    private enum Kind {
        TEXT(false),
        NUMBER(true),
        ABOUT(true),
        EXACTLY(true),
        BYTES(true),
        INSTANT(false);

        private final boolean isRight;

        Kind(boolean isRight) {
            this.isRight = isRight;
        }

        String shown(@Nullable Object value) {
            if (value == null) {
                return NOTHING;
            }
            return switch (this) {
                case ABOUT -> Words.about(((Number) value).doubleValue());
                case EXACTLY -> Words.exactly(((Number) value).longValue());
                case BYTES -> Words.bytes(((Number) value).longValue());
                case INSTANT -> Words.instant((Instant) value);
                case TEXT, NUMBER ->
                    value instanceof List<?> list
                            ? list.isEmpty()
                                    ? NOTHING
                                    : String.join(
                                            ", ",
                                            list.stream().map(String::valueOf).toList())
                            : value.toString();
            };
        }
    }

    /** Where a column appears. */
    private enum Place {
        TABLE,
        CARD_ONLY
    }

    private record Column<T>(
            String header, String name, Kind kind, Place place, Function<T, ? extends @Nullable Object> value) {}

    private final List<Column<T>> columns = new ArrayList<>();

    private Listing<T> add(
            String header, String name, Kind kind, Place place, Function<T, ? extends @Nullable Object> value) {
        columns.add(new Column<>(header, name, kind, place, value));
        return this;
    }

    /** Text, or a list of texts. */
    Listing<T> text(String header, String name, Function<T, ? extends @Nullable Object> value) {
        return add(header, name, Kind.TEXT, Place.TABLE, value);
    }

    Listing<T> number(String header, String name, Function<T, ? extends @Nullable Number> value) {
        return add(header, name, Kind.NUMBER, Place.TABLE, value);
    }

    /** Measured seconds. */
    Listing<T> about(String header, String name, Function<T, ? extends @Nullable Number> seconds) {
        return add(header, name, Kind.ABOUT, Place.TABLE, seconds);
    }

    /** Seconds that somebody set. */
    Listing<T> exactly(String header, String name, Function<T, ? extends @Nullable Number> seconds) {
        return add(header, name, Kind.EXACTLY, Place.TABLE, seconds);
    }

    Listing<T> bytes(String header, String name, Function<T, ? extends @Nullable Number> bytes) {
        return add(header, name, Kind.BYTES, Place.TABLE, bytes);
    }

    Listing<T> instant(String header, String name, Function<T, @Nullable Instant> instant) {
        return add(header, name, Kind.INSTANT, Place.TABLE, instant);
    }

    /** The column that was added last is too much for a table: it appears on cards and in JSON. */
    Listing<T> aside() {
        Column<T> last = columns.removeLast();
        return add(last.header(), last.name(), last.kind(), Place.CARD_ONLY, last.value());
    }

    /** Prints an aligned table, or {@code none} if there are no rows. */
    void table(PrintWriter out, List<T> rows, String none) {
        if (rows.isEmpty()) {
            out.println(none);
            return;
        }
        List<Column<T>> shown =
                columns.stream().filter(c -> c.place() == Place.TABLE).toList();
        List<List<String>> lines = new ArrayList<>();
        lines.add(shown.stream().map(Column::header).toList());
        for (T row : rows) {
            lines.add(shown.stream().map(c -> cell(c, row)).toList());
        }
        int[] widths = new int[shown.size()];
        for (List<String> line : lines) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], width(line.get(i)));
            }
        }
        for (List<String> line : lines) {
            out.println(aligned(line, shown, widths));
        }
    }

    private String aligned(List<String> line, List<Column<T>> shown, int[] widths) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String gap = " ".repeat(widths[i] - width(line.get(i)));
            boolean right = shown.get(i).kind().isRight;
            text.append(i == 0 ? "" : "  ")
                    .append(right ? gap : "")
                    .append(line.get(i))
                    .append(right ? "" : gap);
        }
        return text.toString().stripTrailing();
    }

    private static int width(String text) {
        return text.codePointCount(0, text.length());
    }

    /** One line, cut: tables are for finding, cards for reading. */
    private static <T> String cell(Column<T> column, T row) {
        String text =
                Words.harmless(column.kind().shown(column.value().apply(row))).replace('\n', ' ');
        boolean isLong = width(text) > CELL_MAX && !(column.value().apply(row) instanceof List<?>);
        return isLong ? text.substring(0, text.offsetByCodePoints(0, CELL_MAX - 1)) + "…" : text;
    }

    /** Prints one row, a line per column. */
    void card(PrintWriter out, T row) {
        int widest = columns.stream().mapToInt(c -> label(c).length()).max().orElse(0);
        for (Column<T> column : columns) {
            String text = Words.harmless(column.kind().shown(column.value().apply(row)));
            String indent = "\n" + " ".repeat(widest + 2);
            out.println(label(column)
                    + " ".repeat(widest + 2 - label(column).length())
                    + text.strip().replace("\n", indent));
        }
    }

    private static String label(Column<?> column) {
        return column.header().toLowerCase(Locale.ROOT);
    }

    /** Prints a JSON array, a row per line. */
    void json(PrintWriter out, List<T> rows) {
        out.print("[");
        for (int i = 0; i < rows.size(); i++) {
            out.print((i == 0 ? "\n  " : ",\n  ") + object(rows.get(i), json -> json));
        }
        out.println(rows.isEmpty() ? "]" : "\n]");
    }

    /** One row as a JSON object, on one line, with whatever {@code more} adds. */
    String object(T row, Function<JsonGenerator, JsonGenerator> more) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
            open(json, row);
            more.apply(json).writeEndObject();
        }
        return text.toString();
    }

    /** Rows as an array inside of another object. */
    JsonGenerator array(JsonGenerator json, List<T> rows) {
        json.writeStartArray();
        for (T row : rows) {
            open(json, row);
            json.writeEndObject();
        }
        return json.writeEndArray();
    }

    private void open(JsonGenerator json, T row) {
        json.writeStartObject();
        for (Column<T> column : columns) {
            json.writeName(column.name());
            write(json, column.value().apply(row));
        }
    }

    private static void write(JsonGenerator json, @Nullable Object value) {
        switch (value) {
            case null -> json.writeNull();
            case Long number -> json.writeNumber(number);
            case Integer number -> json.writeNumber(number);
            case Double number -> json.writeNumber(number);
            case Boolean flag -> json.writeBoolean(flag);
            case List<?> list -> {
                json.writeStartArray();
                list.forEach(one -> write(json, one));
                json.writeEndArray();
            }
            default -> json.writeString(value.toString());
        }
    }
}
