package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.internal.SystemSource;
import dev.hapax.spi.Encoded;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Calls that were made while the database could not be reached, in a file of this process alone. Every record is synced before the method that writes it returns; a record that a crash has torn is the last one, and
 * counts as not written. Safe for use by many threads.
 *
 * <p>A record is its length, its CRC-32C and its body. What is folded into the database is crossed out by a record; when all is, the file is emptied.
 */
final class OutageJournal implements Closeable {

    private static final byte CALLED = 1;
    private static final byte ENDED = 2;
    private static final byte FOLDED = 3;
    private static final int HEAD = 8;
    private static final int RECORD_MAX = 40 << 20;

    private final FileChannel file;
    private final FileLock lock;
    private final Map<UUID, Entry> open = new LinkedHashMap<>();

    /**
     * One call.
     *
     * @param known how it ended; null if that is not known
     * @param ended whether it was written how it ended; if not, it runs, or its process died
     */
    record Entry(
            UUID id, Instant calledAt, Call call, @Nullable Known known, boolean ended) {

        ClaimState state() {
            return known == null ? ClaimState.IN_DOUBT : known.state();
        }
    }

    /** What was called. */
    record Call(Key key, byte[] fingerprint, Encoded request) {}

    private OutageJournal(FileChannel file, FileLock lock) {
        this.file = file;
        this.lock = lock;
    }

    /**
     * Opens the journal of a scope, with what an earlier run of the process has left in it.
     *
     * @throws IllegalStateException if another process has it
     */
    static OutageJournal open(Path folder, String scope) throws IOException {
        Files.createDirectories(folder);
        Path path = folder.resolve("claims-" + scope.replace('/', '_') + ".journal");
        FileChannel file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            FileLock lock = lock(file, path);
            OutageJournal journal = new OutageJournal(file, lock);
            journal.replay();
            return journal;
        } catch (Throwable failure) {
            file.close();
            throw failure;
        }
    }

    private static FileLock lock(FileChannel file, Path path) throws IOException {
        FileLock lock;
        try {
            lock = file.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw new IllegalStateException(
                    "the journal " + path + " is in use by another process; give each process a folder of its own");
        }
        return lock;
    }

    /** Reads whole records, and cuts off what a crash has left of one. */
    private void replay() throws IOException {
        long at = 0;
        Optional<byte[]> body = read(at);
        while (body.isPresent()) {
            apply(body.get());
            at += HEAD + body.get().length;
            body = read(at);
        }
        file.truncate(at);
        file.position(at);
    }

    private Optional<byte[]> read(long at) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEAD);
        if (!fill(head, at)) {
            return Optional.empty();
        }
        int length = head.getInt(0);
        if (length < 1 || length > RECORD_MAX) {
            return Optional.empty();
        }
        ByteBuffer body = ByteBuffer.allocate(length);
        boolean whole = fill(body, at + HEAD) && checksum(body.array()) == head.getInt(4);
        return whole ? Optional.of(body.array()) : Optional.empty();
    }

    private boolean fill(ByteBuffer buffer, long at) throws IOException {
        while (buffer.hasRemaining()) {
            if (file.read(buffer, at + buffer.position()) < 0) {
                return false;
            }
        }
        return true;
    }

    private static int checksum(byte[] body) {
        CRC32C crc = new CRC32C();
        crc.update(body);
        return (int) crc.getValue();
    }

    private void apply(byte[] body) throws IOException {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(body))) {
            byte kind = in.readByte();
            UUID id = new UUID(in.readLong(), in.readLong());
            switch (kind) {
                case CALLED -> open.put(id, new Entry(id, Instant.ofEpochMilli(in.readLong()), call(in), null, false));
                case ENDED -> {
                    Known known = known(in);
                    open.computeIfPresent(id, (i, e) -> new Entry(id, e.calledAt, e.call, known, true));
                }
                case FOLDED -> open.remove(id);
                default -> throw new IOException("a record of unknown kind " + kind + " in the journal");
            }
        } catch (EOFException e) {
            throw new IOException("a record of the journal is shorter than what it says", e);
        }
    }

    private static Call call(DataInputStream in) throws IOException {
        Key key = Key.of(in.readUTF(), in.readUTF());
        String producer = in.readUTF();
        long time = in.readLong();
        key = producer.isEmpty() ? key : key.producer(producer);
        return new Call(
                time == Long.MIN_VALUE ? key : key.at(Instant.ofEpochMilli(time)),
                bytes(in),
                new Encoded(in.readUTF(), bytes(in)));
    }

    private static @Nullable Known known(DataInputStream in) throws IOException {
        return switch (ClaimState.valueOf(in.readUTF())) {
            case SETTLED -> Known.done(new Encoded(in.readUTF(), bytes(in)));
            case REFUSED -> Known.refused(in.readUTF());
            default -> null;
        };
    }

    private static byte[] bytes(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return bytes;
    }

    /** Writes a record's body. */
    @FunctionalInterface
    private interface Body {
        void write(DataOutputStream out) throws IOException;
    }

    /** Notes that a call is about to be made. */
    synchronized UUID called(Call call) throws IOException {
        UUID id = SystemSource.INSTANCE.newUuidV7();
        append(CALLED, id, out -> {
            out.writeLong(SystemSource.INSTANCE.instant().toEpochMilli());
            out.writeUTF(call.key.scope());
            out.writeUTF(call.key.id());
            out.writeUTF(call.key.producer().orElse(""));
            out.writeLong(call.key.time().map(Instant::toEpochMilli).orElse(Long.MIN_VALUE));
            write(out, call.fingerprint);
            out.writeUTF(call.request.type());
            write(out, call.request.body());
        });
        return id;
    }

    /** Notes how it ended; null for that nobody knows. */
    synchronized void ended(UUID id, @Nullable Known known) throws IOException {
        append(ENDED, id, out -> {
            out.writeUTF((known == null ? ClaimState.IN_DOUBT : known.state()).name());
            Encoded answer = known == null ? null : known.answer();
            if (answer != null) {
                out.writeUTF(answer.type());
                write(out, answer.body());
            } else if (known != null) {
                out.writeUTF(String.valueOf(known.refusal()));
            }
        });
    }

    /** Crosses out what is in the database by now. */
    synchronized void folded(UUID id) throws IOException {
        append(FOLDED, id, out -> {});
        if (open.isEmpty()) {
            file.truncate(0);
            file.position(0);
            file.force(true);
        }
    }

    /** What is not folded in, oldest first. */
    synchronized List<Entry> entries() {
        return new ArrayList<>(open.values());
    }

    /** The last call with this key that is not folded in. */
    synchronized Optional<Entry> last(Key key) {
        return open.values().stream()
                .filter(entry -> entry.call.key.equals(key))
                .reduce((first, second) -> second);
    }

    private void append(byte kind, UUID id, Body more) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(kind);
            out.writeLong(id.getMostSignificantBits());
            out.writeLong(id.getLeastSignificantBits());
            more.write(out);
        }
        byte[] body = bytes.toByteArray();
        ByteBuffer record = ByteBuffer.allocate(HEAD + body.length);
        record.putInt(body.length).putInt(checksum(body)).put(body).flip();
        long before = file.position();
        try {
            while (record.hasRemaining()) {
                file.write(record);
            }
            file.force(true);
        } catch (IOException e) {
            // Half a record in the middle would hide all that follow it.
            file.truncate(before);
            file.position(before);
            throw e;
        }
        apply(body);
    }

    private static void write(DataOutputStream out, byte[] bytes) throws IOException {
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    @Override
    public synchronized void close() throws IOException {
        lock.release();
        file.close();
    }
}
