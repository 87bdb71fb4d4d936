package dev.hapax.internal;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Reads the time that an id carries: UUIDv7 (RFC 9562, section 5.7) and ULID. The answer depends on the id alone, never on the clock,
 * so that each retry gets the same one. An id whose time would lie outside 2010 to 2100 is taken as one that only looks like it.
 */
public final class KeyTimes {

    private static final long EARLIEST = Instant.parse("2010-01-01T00:00:00Z").toEpochMilli();
    private static final long LATEST = Instant.parse("2100-01-01T00:00:00Z").toEpochMilli();
    private static final String CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private static final byte[] HEX = hexDigits();
    private static final int UUID_LENGTH = 36;
    private static final int ULID_LENGTH = 26;

    private KeyTimes() {}

    public static @Nullable Instant of(String id) {
        long millis = id.length() == UUID_LENGTH ? uuidV7(id) : id.length() == ULID_LENGTH ? ulid(id) : -1;
        return millis < EARLIEST || millis >= LATEST ? null : Instant.ofEpochMilli(millis);
    }

    private static long uuidV7(String id) {
        if (id.charAt(14) != '7' || "89abAB".indexOf(id.charAt(19)) < 0) {
            return -1;
        }
        long millis = 0;
        for (int i = 0; i < UUID_LENGTH; i++) {
            char c = id.charAt(i);
            if (i == 8 || i == 13 || i == 18 || i == 23) {
                if (c != '-') {
                    return -1;
                }
                continue;
            }
            int digit = c < HEX.length ? HEX[c] : -1;
            if (digit < 0) {
                return -1;
            }
            if (i < 13) {
                millis = (millis << 4) | digit;
            }
        }
        return millis;
    }

    /** Every key is read, so a table: {@link Character#digit} asks for the block of the character first. */
    private static byte[] hexDigits() {
        byte[] digits = new byte[128];
        for (int c = 0; c < digits.length; c++) {
            digits[c] = (byte) Character.digit(c, 16);
        }
        return digits;
    }

    private static long ulid(String id) {
        long millis = 0;
        for (int i = 0; i < ULID_LENGTH; i++) {
            char c = id.charAt(i);
            int digit = CROCKFORD.indexOf(c >= 'a' && c <= 'z' ? c - 32 : c);
            if (digit < 0 || (i == 0 && digit > 7)) {
                return -1;
            }
            if (i < 10) {
                millis = (millis << 5) | digit;
            }
        }
        return millis;
    }
}
