package dev.hapax.json;

import dev.hapax.internal.BasicCodec;
import dev.hapax.internal.Checks;
import dev.hapax.spi.Codec;
import dev.hapax.spi.Encoded;
import java.util.HashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Stores values as JSON under names that you give them; needs Jackson 3 ({@code tools.jackson.core:jackson-databind}) on the class path. Only named
 * types are ever read back, so a stored row can't make the service instantiate a class of its choice. Bytes and strings are stored as
 * they are.
 *
 * <p>Requests are compared in the canonical form of RFC 8785 (JCS), so the order of members doesn't matter, {@code 1} equals {@code 1.0},
 * and {@code 1} is not {@code "1"}. One deviation, because two amounts must never look alike: a number that an IEEE double can't hold exactly stands as its
 * exact decimal.
 *
 * <p>Immutable and safe for use by many threads; its builder is not.
 */
public final class JsonCodec implements Codec {

    private final JsonMapper mapper;
    private final Map<Class<?>, String> names;
    private final Map<String, Class<?>> types;
    private final BasicCodec basic = new BasicCodec();

    private JsonCodec(Builder builder) {
        this.mapper = builder.mapper;
        this.names = Map.copyOf(builder.names);
        this.types = Map.copyOf(builder.types);
    }

    public static Builder builder() {
        return new Builder();
    }

    @Override
    public Encoded encode(Object value) {
        if (value instanceof byte[] || value instanceof String) {
            return basic.encode(value);
        }
        String name = names.get(value.getClass());
        if (name == null) {
            throw new IllegalArgumentException("the type " + value.getClass().getName()
                    + " has no name in this codec; add .type(\"name.v1\", "
                    + value.getClass().getSimpleName() + ".class)");
        }
        return new Encoded(name, mapper.writeValueAsBytes(value));
    }

    @Override
    public <T> T decode(String type, byte[] body, Class<T> wanted) {
        Class<?> stored = types.get(type);
        if (stored == null) {
            return basic.decode(type, body, wanted);
        }
        if (!wanted.isAssignableFrom(stored)) {
            throw new IllegalArgumentException("a stored \"" + type + "\" is a " + stored.getName() + ", not a "
                    + wanted.getName() + ", which was asked for");
        }
        try {
            return wanted.cast(mapper.readValue(body, stored));
        } catch (JacksonException e) {
            // Jackson's message quotes the source; the payload must not reach a log.
            e.clearLocation();
            throw new IllegalArgumentException(
                    "the " + body.length + " stored bytes can't be read as \"" + type + "\": "
                            + e.getClass().getSimpleName(),
                    null);
        }
    }

    @Override
    public byte[] canonical(Object request) {
        if (request instanceof byte[] || request instanceof String) {
            return basic.canonical(request);
        }
        return CanonicalJson.of(mapper.valueToTree(request));
    }

    /** Collects the names of types. Not safe for use by many threads. */
    public static final class Builder {

        private JsonMapper mapper = JsonMapper.builder()
                .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
        private final Map<Class<?>, String> names = new HashMap<>();
        private final Map<String, Class<?>> types = new HashMap<>();

        private Builder() {}

        /**
         * Gives a type its stored name. Keep a name for ever; a change that old rows can't be read with is a new name.
         *
         * @param name with a version, such as {@code order.v1}: 1 to 100 letters, digits, {@code . _ -} or {@code /}
         * @throws IllegalArgumentException if the name or the type is already there, or the name is one of {@code bytes}, {@code string}
         */
        public Builder type(String name, Class<?> type) {
            Checks.name("type name", name);
            Checks.that(
                    !name.equals(BasicCodec.BYTES) && !name.equals(BasicCodec.STRING),
                    "the type name \"%s\" is taken by Hapax itself",
                    name);
            Checks.that(types.putIfAbsent(name, type) == null, "the type name \"%s\" is given twice", name);
            Checks.that(names.putIfAbsent(type, name) == null, "the type %s has two names", type.getName());
            return this;
        }

        /** Uses a mapper of your own, with your modules and settings. */
        public Builder mapper(JsonMapper yours) {
            this.mapper = yours;
            return this;
        }

        public JsonCodec build() {
            return new JsonCodec(this);
        }
    }
}
