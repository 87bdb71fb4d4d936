package dev.hapax.internal;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The one place where time and chance enter: everything else is handed what it needs, so that a test can own both. Safe for use by
 * many threads.
 */
public final class SystemSource implements InstantSource {

    public static final SystemSource INSTANCE = new SystemSource();

    private static final SecureRandom SECURE = new SecureRandom();

    private SystemSource() {}

    @Override
    public Instant instant() {
        return Instant.now();
    }

    /** Nanoseconds of a clock that only measures distances. */
    public long nanos() {
        return System.nanoTime();
    }

    /** A number from 0 (inclusive) to the bound (exclusive): for jitter, not for secrets. */
    public long jitter(long bound) {
        return bound <= 0 ? 0 : ThreadLocalRandom.current().nextLong(bound);
    }

    /** UUIDv7 of RFC 9562: 48 bits of milliseconds, 74 random bits. */
    public UUID newUuidV7() {
        byte[] random = new byte[10];
        SECURE.nextBytes(random);
        long high = (instant().toEpochMilli() << 16) | 0x7000L | ((random[0] & 0x0FL) << 8) | (random[1] & 0xFFL);
        long low = 0;
        for (int i = 2; i < random.length; i++) {
            low = (low << 8) | (random[i] & 0xFFL);
        }
        return new UUID(high, (low & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L);
    }

    public static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform must have SHA-256", e);
        }
    }
}
