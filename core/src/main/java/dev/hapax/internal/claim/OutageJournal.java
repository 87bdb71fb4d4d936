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
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls that were made while the database could not be reached, in a file of this process alone. Every record is synced before the method that writes it returns; a record that a crash has torn is the last one, and
 * counts as not written. An interrupt of a thread that uses it does it no harm. Safe for use by many threads.
 *
 * <p>A record is its length, its CRC-32C and its body. What is folded into the database is crossed out by a record; when all is, the file is emptied.
 */
final class OutageJournal implements Closeable {

    private static final byte CALLED = 1;
    private static final byte ENDED = 2;
    private static final byte FOLDED = 3;
    private static final int HEAD = 8;
    private static final int RECORD_MAX = 40 << 20;
    private static final int COPIED_AT_ONCE = 1 << 16;

    private static final Logger LOG = LoggerFactory.getLogger(OutageJournal.class);
    private static final Limits LIMITS = new Limits(100_000, 1L << 30);

    private final Path path;
    private final Limits limits;

    /** Not a channel: an interrupt of whoever uses a channel closes it, for all and for good, and the lock is gone with it. */
    private final RandomAccessFile file;

    private final FileLock lock;
    private final Map<UUID, Entry> open = new LinkedHashMap<>();

    /** Those of one key, oldest first. */
    private final Map<Key, List<UUID>> byKey = new HashMap<>();

    /** Behind the last whole record. */
    private long end;

    /**
     * How much it holds; no more calls are noted then.
     *
     * @param calls that are not folded in
     * @param bytes of the file
     */
    record Limits(int calls, long bytes) {}

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

    private OutageJournal(Path path, Limits limits, RandomAccessFile file, FileLock lock) {
        this.path = path;
        this.limits = limits;
        this.file = file;
        this.lock = lock;
    }

    /**
     * Opens the journal of a scope, with what an earlier run of the process has left in it.
     *
     * @throws IllegalStateException if another process has it
     */
    static OutageJournal open(Path folder, String scope) throws IOException {
        return open(folder, scope, LIMITS);
    }

    static OutageJournal open(Path folder, String scope, Limits limits) throws IOException {
        Files.createDirectories(folder);
        Path path = folder.resolve("claims-" + scope.replace('/', '_') + ".journal");
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
        try {
            OutageJournal journal = new OutageJournal(path, limits, file, lock(file, path));
            journal.replay();
            return journal;
        } catch (Throwable failure) {
            file.close();
            throw failure;
        }
    }

    private static FileLock lock(RandomAccessFile file, Path path) throws IOException {
        FileLock lock;
        try {
            lock = file.getChannel().tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw new IllegalStateException(
                    "the journal " + path + " is in use by another process; give each process a folder of its own");
        }
        return lock;
    }

    /** Reads whole records, and cuts off what is behind them: what a crash has left of one, or worse. */
    private void replay() throws IOException {
        Optional<byte[]> body = read(end);
        while (body.isPresent()) {
            apply(body.get());
            end += HEAD + body.get().length;
            body = read(end);
        }
        if (file.length() > end) {
            setAside();
            file.setLength(end);
        }
    }

    private Optional<byte[]> read(long at) throws IOException {
        long left = file.length() - at - HEAD;
        if (left < 1) {
            return Optional.empty();
        }
        byte[] head = new byte[HEAD];
        file.seek(at);
        file.readFully(head);
        int length = ByteBuffer.wrap(head).getInt();
        if (length < 1 || length > Math.min(left, RECORD_MAX)) {
            return Optional.empty();
        }
        byte[] body = new byte[length];
        file.readFully(body);
        return checksum(body) == ByteBuffer.wrap(head).getInt(Integer.BYTES) ? Optional.of(body) : Optional.empty();
    }

    /** What can't be read may be a torn record, which counts as not written, or hide calls behind a damaged one: only a person can tell. Copied by the open file: to close another one would give up the lock. */
    private void setAside() throws IOException {
        Path copy = path.resolveSibling(
                path.getFileName() + ".cut-" + SystemSource.INSTANCE.instant().toEpochMilli());
        long bytes = file.length() - end;
        try (OutputStream out = Files.newOutputStream(copy)) {
            byte[] buffer = new byte[COPIED_AT_ONCE];
            file.seek(end);
            for (int n = file.read(buffer); n > 0; n = file.read(buffer)) {
                out.write(buffer, 0, n);
            }
        }
        LOG.warn(
                "the last {} bytes of the journal {} are no whole record: torn by a crash, or damaged. They are cut off, and kept as {}",
                bytes,
                path,
                copy);
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
                case CALLED -> called(new Entry(id, Instant.ofEpochMilli(in.readLong()), call(in), null, false));
                case ENDED -> {
                    Known known = known(in);
                    open.computeIfPresent(id, (i, e) -> new Entry(id, e.calledAt, e.call, known, true));
                }
                case FOLDED -> crossedOut(id);
                default -> throw new IOException("a record of unknown kind " + kind + " in the journal");
            }
        } catch (EOFException e) {
            throw new IOException("a record of the journal is shorter than what it says", e);
        }
    }

    private void called(Entry entry) {
        open.put(entry.id, entry);
        byKey.computeIfAbsent(entry.call.key, key -> new ArrayList<>()).add(entry.id);
    }

    private void crossedOut(UUID id) {
        Entry entry = open.remove(id);
        if (entry != null) {
            byKey.computeIfPresent(entry.call.key, (key, ids) -> {
                ids.remove(id);
                return ids.isEmpty() ? null : ids;
            });
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
            file.setLength(0);
            file.getFD().sync();
            end = 0;
        }
    }

    /** Whether there is no room for another call. How those end that are in it can always be noted. */
    synchronized boolean isFull() {
        return open.size() >= limits.calls || end >= limits.bytes;
    }

    /** Whether all is folded in. */
    synchronized boolean isEmpty() {
        return open.isEmpty();
    }

    /** What is not folded in, oldest first. */
    synchronized List<Entry> entries() {
        return new ArrayList<>(open.values());
    }

    /** The last call with this key that is not folded in. */
    synchronized Optional<Entry> last(Key key) {
        return Optional.ofNullable(byKey.get(key)).map(ids -> open.get(ids.getLast()));
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
        record.putInt(body.length).putInt(checksum(body)).put(body);
        try {
            file.seek(end);
            file.write(record.array());
            file.getFD().sync();
        } catch (IOException e) {
            cutOff(e);
            throw e;
        }
        end += record.capacity();
        apply(body);
    }

    /** Half a record in the middle would hide all that follow it. If it can't be cut off now either, the next one is written over it. */
    private void cutOff(IOException failure) {
        try {
            file.setLength(end);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
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
