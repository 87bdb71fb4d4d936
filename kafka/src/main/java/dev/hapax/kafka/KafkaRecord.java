package dev.hapax.kafka;

import dev.hapax.Key;
import dev.hapax.consume.source.SourceRecord;
import dev.hapax.kafka.Decoding.ByFunction;
import dev.hapax.kafka.Decoding.ByType;
import dev.hapax.spi.Codec;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** A record of a topic as a message. What is asked for seldom is made when it is asked for. Used by one thread at a time. */
final class KafkaRecord implements SourceRecord {

    /** The longest message key, type or id that is kept as text. */
    static final int TEXT_MAX = 200;

    private static final int NAME_MAX = 100;
    private static final int OVERHEAD = 400;
    private static final int HEADER_OVERHEAD = 100;
    private static final int TRACE_LENGTH = 55;
    private static final byte[] NOTHING = {};

    /** The producer of records that name none. */
    private static final String PRODUCER = "kafka";

    private final ConsumerRecord<byte[], byte[]> record;
    private final Decoding decoding;
    private final boolean ignored;
    private @Nullable UUID id;
    private @Nullable String messageKey;

    KafkaRecord(ConsumerRecord<byte[], byte[]> record, Decoding decoding, boolean ignoresTombstones) {
        this.record = record;
        this.decoding = decoding;
        this.ignored = ignoresTombstones && record.value() == null;
    }

    @Override
    public boolean isIgnored() {
        return ignored;
    }

    @Override
    public Object decode(Codec codec) {
        return switch (decoding) {
            case ByType byType -> decode(codec, byType);
            case ByFunction byFunction -> decode(byFunction);
        };
    }

    private Object decode(Codec codec, ByType byType) {
        byte[] value = record.value();
        if (value == null) {
            throw new IllegalArgumentException(
                    "the record is a tombstone: it has no value. KafkaSource passes such over by ignoreTombstones(), or makes something of them by decode(…)");
        }
        String type = byType.type().isEmpty() ? type() : byType.type();
        if (type.isEmpty()) {
            throw new IllegalArgumentException("the record has no header " + KafkaHeaders.TYPE
                    + " that says what it is; tell KafkaSource by type(…), bytes() or decode(…)");
        }
        return codec.decode(type, value, Object.class);
    }

    private Object decode(ByFunction byFunction) {
        Object decoded;
        try {
            decoded = byFunction.function().apply(record);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("the record could not be decoded: " + e, e);
        }
        if (decoded == null) {
            throw new IllegalArgumentException("the record was decoded to null");
        }
        return decoded;
    }

    /** By its header, if it has one: then a record that says the same again has the same id. Else by its place, and its time, since a topic that is made anew counts from 0 again. */
    @Override
    public UUID id() {
        UUID made = id;
        if (made == null) {
            String text = header(KafkaHeaders.ID);
            made = text == null
                    ? named(
                            record.topic(),
                            record.partition() + "/" + record.offset(),
                            Long.toString(record.timestamp()))
                    : parse(text);
            id = made;
        }
        return made;
    }

    private UUID parse(String text) {
        if (text.length() == 36) {
            try {
                return UUID.fromString(text);
            } catch (IllegalArgumentException e) {
                return named(record.topic(), "id", text);
            }
        }
        return named(record.topic(), "id", text);
    }

    /** A UUIDv8 (RFC 9562) of hashed bits. */
    private static UUID named(String... parts) {
        MessageDigest sha256 = sha256();
        for (String part : parts) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            sha256.update(ByteBuffer.allocate(4).putInt(bytes.length).flip());
            sha256.update(bytes);
        }
        ByteBuffer hash = ByteBuffer.wrap(sha256.digest());
        return new UUID(
                (hash.getLong() & 0xFFFF_FFFF_FFFF_0FFFL) | 0x8000L,
                (hash.getLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform must have SHA-256", e);
        }
    }

    @Override
    public String topic() {
        return record.topic();
    }

    /** The record's key as text; a record without one waits for no other, and no other for it. */
    @Override
    public String messageKey() {
        String made = messageKey;
        if (made == null) {
            byte[] key = record.key();
            made = key == null ? "#" + record.partition() + "/" + record.offset() : textOf(key);
            messageKey = made;
        }
        return made;
    }

    private static String textOf(byte[] key) {
        if (key.length <= TEXT_MAX) {
            if (isPrintableAscii(key)) {
                return new String(key, StandardCharsets.US_ASCII);
            }
            try {
                String text = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(key))
                        .toString();
                if (text.chars().noneMatch(Character::isISOControl)) {
                    return text;
                }
            } catch (CharacterCodingException e) {
                // It is no text, and is named by its hash, as long ones are.
                return hash(key);
            }
        }
        return hash(key);
    }

    /** Most keys are, and need no decoder. */
    private static boolean isPrintableAscii(byte[] key) {
        for (byte one : key) {
            if (one < ' ' || one > '~') {
                return false;
            }
        }
        return true;
    }

    private static String hash(byte[] key) {
        return "sha256:" + HexFormat.of().formatHex(sha256().digest(key));
    }

    @Override
    public String type() {
        if (decoding instanceof ByType byType && !byType.type().isEmpty()) {
            return byType.type();
        }
        String type = header(KafkaHeaders.TYPE);
        if (type == null) {
            type = header("type");
        }
        return type == null || type.length() > TEXT_MAX ? "" : type;
    }

    @Override
    public byte[] body() {
        byte[] value = record.value();
        return value == null ? NOTHING : value;
    }

    @Override
    public Key operation() {
        String scope = header(KafkaHeaders.SCOPE);
        String key = header(KafkaHeaders.KEY);
        if (scope != null && key != null) {
            try {
                String producer = header(KafkaHeaders.PRODUCER);
                Key operation = Key.of(scope, key).producer(producer == null ? PRODUCER : producer);
                return operation.time().isPresent()
                        ? operation
                        : operationTime().map(operation::at).orElse(operation);
            } catch (IllegalArgumentException e) {
                // Whoever wrote the headers has other rules: the record names no operation.
                return byPlace();
            }
        }
        return byPlace();
    }

    private Key byPlace() {
        String topic = record.topic();
        return Key.of(
                        topic.substring(0, Math.min(topic.length(), NAME_MAX)),
                        record.partition() + "/" + record.offset())
                .producer(PRODUCER);
    }

    @Override
    public Optional<Instant> operationTime() {
        String text = header(KafkaHeaders.KEY_TIME);
        if (text == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(Instant.parse(text));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    @Override
    public Instant publishedAt() {
        return Instant.ofEpochMilli(Math.max(0, record.timestamp()));
    }

    @Override
    public int lane() {
        return record.partition();
    }

    @Override
    public long number() {
        return record.offset();
    }

    @Override
    public Optional<String> traceparent() {
        return Optional.ofNullable(header(KafkaHeaders.TRACEPARENT)).filter(trace -> trace.length() == TRACE_LENGTH);
    }

    @Override
    public int attempt() {
        return 1;
    }

    @Override
    public byte[] envelope() {
        return Envelope.of(record);
    }

    @Override
    public int size() {
        int size = OVERHEAD + Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
        for (Header header : record.headers()) {
            size += HEADER_OVERHEAD + (header.value() == null ? 0 : header.value().length);
        }
        return size;
    }

    @Override
    public <T> Optional<T> unwrap(Class<T> type) {
        return type.isInstance(record) ? Optional.of(type.cast(record)) : Optional.empty();
    }

    private @Nullable String header(String name) {
        Header header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return record.topic() + "/" + record.partition() + " at " + record.offset();
    }
}
