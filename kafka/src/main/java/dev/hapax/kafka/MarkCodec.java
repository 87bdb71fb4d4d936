package dev.hapax.kafka;

import dev.hapax.internal.consume.LaneMark;
import dev.hapax.internal.consume.LaneMark.Point;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A lane's position as a record of the position topic: one line of text, so that a console consumer shows it to people. Records of all releases are read by all later ones.
 *
 * <pre>1 low=41 done={[43,44)} anchor=43/0198…/1760000000000 trail=41/0198…/1760000000000,12/0197…/1759999000000</pre>
 */
final class MarkCodec {

    private static final String VERSION = "1";

    private MarkCodec() {}

    static byte[] encode(LaneMark mark) {
        StringBuilder text = new StringBuilder(VERSION)
                .append(" low=")
                .append(mark.low())
                .append(" done=")
                .append(mark.done());
        Point anchor = mark.anchor();
        if (anchor != null) {
            text.append(" anchor=");
            append(text, anchor);
        }
        if (!mark.trail().isEmpty()) {
            text.append(" trail=");
            for (int i = 0; i < mark.trail().size(); i++) {
                if (i > 0) {
                    text.append(',');
                }
                append(text, mark.trail().get(i));
            }
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void append(StringBuilder text, Point point) {
        text.append(point.number())
                .append('/')
                .append(point.id())
                .append('/')
                .append(point.at().toEpochMilli());
    }

    /** @throws IllegalArgumentException if it is no position that this release can read */
    static LaneMark decode(int lane, byte[] value) {
        String text = new String(value, StandardCharsets.UTF_8);
        String[] words = text.split(" ");
        if (!words[0].equals(VERSION)) {
            throw new IllegalArgumentException("the position of lane " + lane
                    + " was written by a later release of Hapax (\"" + words[0] + "\"), or is none");
        }
        Map<String, String> fields = new HashMap<>();
        for (int i = 1; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            fields.put(words[i].substring(0, Math.max(0, equals)), words[i].substring(equals + 1));
        }
        try {
            return new LaneMark(
                    lane,
                    Long.parseLong(fields.getOrDefault("low", "")),
                    fields.getOrDefault("done", "{}"),
                    point(fields.get("anchor")),
                    trail(fields.get("trail")));
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("the position of lane " + lane + " can't be read: \"" + text + "\"", e);
        }
    }

    private static @Nullable Point point(@Nullable String text) {
        if (text == null) {
            return null;
        }
        String[] parts = text.split("/");
        return new Point(
                Long.parseLong(parts[0]), UUID.fromString(parts[1]), Instant.ofEpochMilli(Long.parseLong(parts[2])));
    }

    private static List<Point> trail(@Nullable String text) {
        List<Point> points = new ArrayList<>();
        if (text != null) {
            for (String part : text.split(",")) {
                Point point = point(part);
                if (point != null) {
                    points.add(point);
                }
            }
        }
        return points;
    }
}
