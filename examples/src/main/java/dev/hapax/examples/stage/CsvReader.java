package dev.hapax.examples.stage;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads comma-separated values as RFC 4180 has them, in UTF-8, and guesses nothing: what is not well-formed is refused with its line number. Not
 * thread-safe.
 */
final class CsvReader {
    private static final int FIELD_BYTES_MAX = 4_096;
    private static final int FIELDS_MAX = 64;
    private static final int END = -1;

    private final byte[] bytes;
    private int at;
    private int line = 1;

    CsvReader(byte[] bytes) {
        this.bytes = bytes;
        boolean mark = bytes.length >= 3
                && (bytes[0] & 0xFF) == 0xEF
                && (bytes[1] & 0xFF) == 0xBB
                && (bytes[2] & 0xFF) == 0xBF;
        this.at = mark ? 3 : 0;
    }

    /**
     * One row.
     *
     * @param line where it begins, from 1; a quoted field may hold line ends
     */
    record Row(int line, List<String> fields) {}

    /** {@return the next row; null after the last one} */
    @Nullable
    Row next() {
        if (peek() == END) {
            return null;
        }
        int begun = line;
        List<String> fields = new ArrayList<>();
        do {
            if (fields.size() == FIELDS_MAX) {
                throw new BrokenOrdersException(line, "it has more than " + FIELDS_MAX + " fields");
            }
            fields.add(peek() == '"' ? quoted() : plain());
        } while (takeComma());
        takeLineEnd();
        return new Row(begun, fields);
    }

    private String plain() {
        int from = at;
        int next = peek();
        while (next != END && next != ',' && next != '\n' && next != '\r') {
            if (next == '"') {
                throw new BrokenOrdersException(line, "a quote stands inside a field that is not quoted");
            }
            at++;
            next = peek();
        }
        return text(ByteBuffer.wrap(bytes, from, at - from));
    }

    private String quoted() {
        int begun = line;
        ByteArrayOutputStream field = new ByteArrayOutputStream();
        at++;
        while (true) {
            int next = peek();
            if (next == END) {
                throw new BrokenOrdersException(begun, "a quoted field begins here and never ends");
            }
            at++;
            if (next == '\n') {
                line++;
            }
            if (next == '"') {
                if (peek() != '"') {
                    break;
                }
                at++;
            }
            field.write(next);
        }
        if (!endsHere()) {
            throw new BrokenOrdersException(line, "something stands between a closing quote and the next comma");
        }
        return text(ByteBuffer.wrap(field.toByteArray()));
    }

    private boolean endsHere() {
        int next = peek();
        return next == END || next == ',' || next == '\n' || next == '\r';
    }

    private boolean takeComma() {
        if (peek() != ',') {
            return false;
        }
        at++;
        return true;
    }

    private void takeLineEnd() {
        if (peek() == '\r') {
            at++;
            if (peek() != '\n') {
                throw new BrokenOrdersException(line, "a carriage return stands without a line feed");
            }
        }
        if (peek() == '\n') {
            at++;
            line++;
        }
    }

    private int peek() {
        return at < bytes.length ? bytes[at] & 0xFF : END;
    }

    private String text(ByteBuffer field) {
        if (field.remaining() > FIELD_BYTES_MAX) {
            throw new BrokenOrdersException(line, "a field is longer than " + FIELD_BYTES_MAX + " bytes");
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(field).toString();
        } catch (CharacterCodingException notUtf8) {
            throw new BrokenOrdersException(line, "a field is not UTF-8 text");
        }
    }
}
