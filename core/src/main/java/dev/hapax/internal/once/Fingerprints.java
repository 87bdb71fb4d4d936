package dev.hapax.internal.once;

import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.internal.SystemSource;
import dev.hapax.spi.Codec;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** What a request is recognised by: a version byte, then SHA-256 over its canonical form. */
final class Fingerprints {

    /** Version 1: SHA-256 (FIPS 180-4) over the codec's canonical form, which for JSON is RFC 8785. */
    private static final byte VERSION = 1;

    private static final int LENGTH = 33;

    private Fingerprints() {}

    static byte[] of(Codec codec, Object request) {
        byte[] fingerprint = new byte[LENGTH];
        fingerprint[0] = VERSION;
        byte[] hash = SystemSource.sha256().digest(codec.canonical(request));
        System.arraycopy(hash, 0, fingerprint, 1, hash.length);
        return fingerprint;
    }

    /** Whether two requests differ. One without a fingerprint, or with one of another version, can't be compared: that is no conflict. */
    static boolean differ(byte[] given, byte @Nullable [] stored) {
        return stored != null && stored[0] == given[0] && !MessageDigest.isEqual(stored, given);
    }

    static KeyReusedException reused(Key key) {
        return new KeyReusedException(
                key,
                "key " + key + " was applied before with another request; nothing was changed now."
                        + " Another operation needs a key of its own, and a retry must repeat its request");
    }
}
