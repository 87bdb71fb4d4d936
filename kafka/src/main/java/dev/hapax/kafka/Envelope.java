package dev.hapax.kafka;

import dev.hapax.consume.source.KeptRecord;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of a record beside its value, as bytes: a version, whether it has a value, the kind of its timestamp, its key, its headers. All lengths are four bytes, and -1 for what is null.
 */
final class Envelope {

    private static final int VERSION = 1;
    private static final int NULL = -1;

    private Envelope() {}

    static byte[] of(ConsumerRecord<byte[], byte[]> record) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(128);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(VERSION);
            out.writeBoolean(record.value() != null);
            out.writeByte(record.timestampType().id);
            write(out, record.key());
            Header[] headers = record.headers().toArray();
            out.writeInt(headers.length);
            for (Header header : headers) {
                out.writeUTF(header.key());
                write(out, header.value());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("a record could not be kept", e);
        }
        return bytes.toByteArray();
    }

    private static void write(DataOutputStream out, byte @Nullable [] value) throws IOException {
        if (value == null) {
            out.writeInt(NULL);
        } else {
            out.writeInt(value.length);
            out.write(value);
        }
    }

    /** @throws IllegalArgumentException if the bytes are not those of an envelope */
    static ConsumerRecord<byte[], byte[]> restore(KeptRecord kept) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(kept.envelope()))) {
            int version = in.readUnsignedByte();
            if (version != VERSION) {
                throw new IllegalArgumentException("the kept record " + kept.partition() + " at " + kept.number()
                        + " has version " + version + "; this library reads " + VERSION);
            }
            byte @Nullable [] value = in.readBoolean() ? kept.body() : null;
            TimestampType timestampType = timestampType(in.readByte());
            byte @Nullable [] key = read(in);
            int count = in.readInt();
            List<Header> headers = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                headers.add(new RecordHeader(in.readUTF(), read(in)));
            }
            return record(kept, timestampType, key, value, headers);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "the kept record " + kept.partition() + " at " + kept.number() + " is not whole", e);
        }
    }

    @SuppressWarnings("NullAway") // Kafka's own records have null for a key or a value that is not there.
    private static ConsumerRecord<byte[], byte[]> record(
            KeptRecord kept,
            TimestampType timestampType,
            byte @Nullable [] key,
            byte @Nullable [] value,
            List<Header> headers) {
        return new ConsumerRecord<>(
                kept.partition().topic(),
                kept.partition().partition(),
                kept.number(),
                kept.publishedAt().toEpochMilli(),
                timestampType,
                key == null ? NULL : key.length,
                value == null ? NULL : value.length,
                key,
                value,
                new RecordHeaders(headers),
                Optional.empty());
    }

    private static TimestampType timestampType(byte id) {
        for (TimestampType type : TimestampType.values()) {
            if (type.id == id) {
                return type;
            }
        }
        return TimestampType.NO_TIMESTAMP_TYPE;
    }

    private static byte @Nullable [] read(DataInputStream in) throws IOException {
        int length = in.readInt();
        return length == NULL ? null : in.readNBytes(length);
    }
}
