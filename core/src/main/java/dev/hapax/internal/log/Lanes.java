package dev.hapax.internal.log;

import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;

/** Messages of one key share a lane; lanes are what readers own. */
public final class Lanes {

    /** Fixed with the schema: another number would send a key's next message to another lane, past those that are still unread. */
    public static final int COUNT = 16;

    /** SQL: how many numbers were drawn in each lane so far, as an array. */
    public static final String DRAWN = IntStream.range(0, COUNT)
            .mapToObj(lane -> "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM hapax.lane_" + lane + ")")
            .collect(Collectors.joining(", ", "ARRAY[", "]"));

    /** A set of lanes, as bits. */
    public static final int NONE = 0;

    public static final int ALL = (1 << COUNT) - 1;

    private Lanes() {}

    public static int set(int lane) {
        return 1 << lane;
    }

    /** Reads what {@link #DRAWN} asks for. */
    public static long[] drawn(ResultSet row, int column) throws SQLException {
        Long[] last = (Long[]) row.getArray(column).getArray();
        return Arrays.stream(last).mapToLong(Long::longValue).toArray();
    }

    /** CRC-32C (RFC 3720, section 12.1) of the key's UTF-8, modulo 16. */
    public static short of(String messageKey) {
        CRC32C crc = new CRC32C();
        crc.update(messageKey.getBytes(StandardCharsets.UTF_8));
        return (short) (crc.getValue() & (COUNT - 1));
    }
}
