package dev.hapax.internal;

import dev.hapax.internal.HistoryGuard.Beat;
import dev.hapax.internal.HistoryGuard.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small file outside the database that remembers the newest beat over the end of the process. It is replaced as a whole, and forced to the disk, every two seconds at most. Used by one thread.
 */
final class HistoryWitness {

    private static final Logger LOG = LoggerFactory.getLogger(HistoryWitness.class);
    private static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final String HEAD = "hapax history witness 1";
    private static final int BYTES_MAX = 1_000;

    private final Path file;
    private @Nullable Memory remembered;
    private @Nullable Memory written;
    private long writtenNanos = SystemSource.INSTANCE.nanos() - EVERY_NANOS;
    private boolean inTrouble;

    private HistoryWitness(Path file, @Nullable Memory remembered) {
        this.file = file;
        this.remembered = remembered;
        this.written = remembered;
    }

    /**
     * Reads what is there.
     *
     * @throws IllegalStateException if the file can't be read, or says something that was not written here
     */
    static HistoryWitness open(Path file) {
        Path absolute = file.toAbsolutePath();
        Path parent = absolute.getParent();
        Checks.state(
                parent != null && Files.isDirectory(parent) && Files.isWritable(parent),
                "historyWitness is %s, and its directory can't be written; give a file in a directory of this service that outlives it",
                absolute);
        if (!Files.exists(absolute)) {
            return new HistoryWitness(absolute, null);
        }
        try {
            Checks.state(
                    Files.size(absolute) <= BYTES_MAX,
                    "the history witness %s has %d bytes; it is not one of Hapax's",
                    absolute,
                    Files.size(absolute));
            return new HistoryWitness(absolute, parse(Files.readAllLines(absolute, StandardCharsets.UTF_8)));
        } catch (IOException | IllegalArgumentException | DateTimeParseException | IndexOutOfBoundsException e) {
            throw new IllegalStateException(
                    "the history witness " + absolute
                            + " can't be read, so nobody knows whether the database has gone back in time since it was written;"
                            + " if you know that it has not, delete the file",
                    e);
        }
    }

    private static Memory parse(List<String> lines) {
        Checks.that(lines.size() == 4 && lines.getFirst().equals(HEAD), "it does not begin with \"%s\"", HEAD);
        String[] last = lines.get(1).split(" ", -1);
        String[] anchor = lines.get(2).split(" ", -1);
        return new Memory(
                new Beat(Long.parseLong(last[0]), UUID.fromString(last[1]), Instant.parse(last[2])),
                Long.parseLong(anchor[0]),
                UUID.fromString(anchor[1]),
                Instant.parse(lines.get(3)));
    }

    @Nullable
    Memory remembered() {
        return remembered;
    }

    /** Takes note; writes it down if the last time is long enough ago. */
    void remember(Memory now) {
        remembered = now;
        long nanos = SystemSource.INSTANCE.nanos();
        boolean isNew = written == null || !written.last().equals(now.last());
        if (isNew && nanos - writtenNanos >= EVERY_NANOS) {
            writtenNanos = nanos;
            write(now);
        }
    }

    /** A witness that can't be written must not stop the service: what it would have said is then known only as long as the process lives. */
    private void write(Memory now) {
        try {
            Path next = file.resolveSibling(file.getFileName() + ".new");
            byte[] bytes = text(now).getBytes(StandardCharsets.UTF_8);
            try (FileChannel channel = FileChannel.open(
                    next, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
                channel.force(true);
            }
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            written = now;
            inTrouble = false;
        } catch (IOException e) {
            if (!inTrouble) {
                LOG.warn("the history witness {} can't be written and is tried again: {}", file, e.toString());
            }
            inTrouble = true;
        }
    }

    private static String text(Memory memory) {
        return String.join(
                "\n",
                HEAD,
                memory.last().number() + " " + memory.last().nonce() + " "
                        + memory.last().at(),
                memory.anchorNumber() + " " + memory.anchorNonce(),
                memory.lookedAt().toString(),
                "");
    }

    void close() {
        if (remembered != null && !remembered.equals(written)) {
            write(remembered);
        }
    }
}
