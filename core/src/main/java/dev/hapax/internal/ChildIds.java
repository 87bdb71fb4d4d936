package dev.hapax.internal;

import dev.hapax.Key;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.UUID;

/**
 * Ids that are made of a key and a name, always the same. A caller's child key has its producer beside the id, so the id is made without
 * it: the service that applies a key need not be named in it, and is its producer all the same. What Hapax itself makes under a key
 * (messages, events, sagas, calls) goes where nothing stands beside the id, and is another one for each producer.
 */
public final class ChildIds {

    private ChildIds() {}

    /** The id of a caller's child: the same whether or not the key names its producer. */
    public static UUID of(Key key, String name) {
        return hash("", key, name);
    }

    /** The id of something of Hapax's own. The key names its producer. */
    public static UUID own(Key key, String name) {
        return hash(key.producer().orElseThrow(), key, name);
    }

    /** A key with such an id; scope, producer and time are those of the parent. */
    public static Key ownKey(Key key, String name) {
        Key child = Key.of(key.scope(), own(key, name).toString())
                .producer(key.producer().orElseThrow());
        return key.time().map(child::at).orElse(child);
    }

    private static UUID hash(String producer, Key key, String name) {
        Checks.id("name of a child key", name);
        MessageDigest sha256 = SystemSource.sha256();
        for (String part : new String[] {producer, key.scope(), key.id(), name}) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            sha256.update(ByteBuffer.allocate(4).putInt(bytes.length).flip());
            sha256.update(bytes);
        }
        ByteBuffer hash = ByteBuffer.wrap(sha256.digest());
        long high = hash.getLong();
        long low = (hash.getLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
        return key.time()
                .map(time -> new UUID((time.toEpochMilli() << 16) | 0x7000L | (high & 0x0FFFL), low))
                .orElseGet(() -> new UUID((high & 0xFFFF_FFFF_FFFF_0FFFL) | 0x8000L, low));
    }
}
