package dev.hapax.internal.log;

import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;

/** Messages of one key share a lane; lanes are what readers own. */
public final class Lanes {

    /** Fixed with the schema: another number would send a key's next message to another lane, past those that are still unread. */
    public static final int COUNT = 16;

    /** SQL: a number that grows whenever a message gets its number, in whichever lane. */
    public static final String DRAWN = IntStream.range(0, COUNT)
            .mapToObj(lane -> "(SELECT last_value + CAST(is_called AS int) FROM hapax.lane_" + lane + ")")
            .collect(Collectors.joining(" + "));

    private Lanes() {}

    /** CRC-32C (RFC 3720, section 12.1) of the key's UTF-8, modulo 16. */
    public static short of(String messageKey) {
        CRC32C crc = new CRC32C();
        crc.update(messageKey.getBytes(StandardCharsets.UTF_8));
        return (short) (crc.getValue() & (COUNT - 1));
    }
}
