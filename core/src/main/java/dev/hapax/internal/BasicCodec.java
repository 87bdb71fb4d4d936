package dev.hapax.internal;

import dev.hapax.spi.Codec;
import dev.hapax.spi.Encoded;
import java.nio.charset.StandardCharsets;

/** Bytes and strings, which need no library. */
public final class BasicCodec implements Codec {

    public static final String BYTES = "bytes";
    public static final String STRING = "string";

    @Override
    public Encoded encode(Object value) {
        if (value instanceof byte[] bytes) {
            return new Encoded(BYTES, bytes);
        }
        if (value instanceof String text) {
            return new Encoded(STRING, text.getBytes(StandardCharsets.UTF_8));
        }
        throw new IllegalArgumentException("without a codec only byte[] and String can be stored, not "
                + value.getClass().getName() + "; give Hapax a JsonCodec that names the type");
    }

    @Override
    public <T> T decode(String type, byte[] body, Class<T> wanted) {
        Object value = switch (type) {
            case BYTES -> body;
            case STRING -> new String(body, StandardCharsets.UTF_8);
            default ->
                throw new IllegalArgumentException("the stored type \"" + type
                        + "\" is not known to this service; give Hapax a JsonCodec that names it");
        };
        if (wanted == byte[].class) {
            return wanted.cast(body);
        }
        if (!wanted.isInstance(value)) {
            throw new IllegalArgumentException(
                    "a stored \"" + type + "\" is not a " + wanted.getName() + ", which was asked for");
        }
        return wanted.cast(value);
    }

    @Override
    public byte[] canonical(Object request) {
        Encoded encoded = encode(request);
        byte[] tagged = new byte[encoded.body().length + 1];
        tagged[0] = (byte) (BYTES.equals(encoded.type()) ? 'B' : 'S');
        System.arraycopy(encoded.body(), 0, tagged, 1, encoded.body().length);
        return tagged;
    }
}
