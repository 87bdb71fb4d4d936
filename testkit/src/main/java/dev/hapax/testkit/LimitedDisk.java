package dev.hapax.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file system of its own that can be made full and roomy again at once, whatever writes on it: a {@code tmpfs} whose size is changed, on a machine where this process may mount one (Linux, as root).
 *
 * <p>Thread-safe.
 */
public final class LimitedDisk implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LimitedDisk.class);
    private static final Duration COMMAND_TIMEOUT = Duration.ofSeconds(20);
    private static final int TRIES = 50;

    private final Path directory;
    private final int mebibytes;
    private final Thread lastGuard;
    private final LastWill lastWill;

    private LimitedDisk(Path directory, int mebibytes) {
        this.directory = directory;
        this.mebibytes = mebibytes;
        this.lastGuard = new Thread(this::unmount, "hapax-testkit-disk-guard");
        this.lastWill = LastWill.unmount(directory);
    }

    /**
     * {@return why this machine has no such disk, in one line; empty if it has} A test that needs one says this instead of passing silently.
     */
    public static Optional<String> problem() {
        try (LimitedDisk disk = open(1)) {
            LOG.debug("a file system can be mounted on {}", disk.directory);
            return Optional.empty();
        } catch (IllegalStateException failure) {
            return Optional.of("a full disk can't be tried on this machine: " + failure.getMessage());
        }
    }

    /**
     * Mounts a file system.
     *
     * @param mebibytes its size, 1 to 100,000; memory is taken only as files need it
     * @return the empty disk
     * @throws IllegalStateException if this process may not mount one
     */
    public static LimitedDisk open(int mebibytes) {
        if (mebibytes < 1 || mebibytes > 100_000) {
            throw new IllegalArgumentException("size is " + mebibytes + " MiB; allowed are 1 to 100000");
        }
        try {
            Path directory = Files.createTempDirectory("hapax-disk");
            LimitedDisk disk = new LimitedDisk(directory, mebibytes);
            try {
                run(
                        "mount",
                        "-t",
                        "tmpfs",
                        "-o",
                        "size=" + mebibytes + "m,mode=0700",
                        "hapax-testkit",
                        directory.toString());
            } catch (IllegalStateException failure) {
                disk.lastWill.close();
                Files.delete(directory);
                throw failure;
            }
            Runtime.getRuntime().addShutdownHook(disk.lastGuard);
            return disk;
        } catch (IOException failure) {
            throw new UncheckedIOException("no directory for a disk", failure);
        }
    }

    /** {@return where it is mounted} */
    public Path directory() {
        return directory;
    }

    /** Takes all room that is left, at once: files that are there can be overwritten, but none can grow. */
    public void fill() {
        for (int tries = 1; ; tries++) {
            try {
                FileStore store = Files.getFileStore(directory);
                resize(Long.toString(Math.max(4096, store.getTotalSpace() - store.getUnallocatedSpace())));
                return;
            } catch (IllegalStateException grownMeanwhile) {
                // It can't be made smaller than what is on it, and somebody may have written since it was measured.
                if (tries == TRIES) {
                    throw grownMeanwhile;
                }
            } catch (IOException failure) {
                throw new UncheckedIOException("the disk on " + directory + " can't be measured", failure);
            }
        }
    }

    /** Gives the room back that {@link #fill()} took. */
    public void free() {
        resize(mebibytes + "m");
    }

    private void resize(String size) {
        run("mount", "-o", "remount,size=" + size, directory.toString());
    }

    private static void run(String... command) {
        String what = String.join(" ", command);
        try {
            Process process = new ProcessBuilder(List.of(command))
                    .redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (!process.waitFor(COMMAND_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException(
                        "`" + what + "` failed: " + output.lines().findFirst().orElse(""));
            }
        } catch (IOException failure) {
            throw new IllegalStateException("`" + what + "` can't be run: " + failure.getMessage(), failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while `" + what + "` ran", interrupted);
        }
    }

    /** Unmounts it; what is on it is gone. Whoever has a file open there must have closed it. */
    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(lastGuard);
        unmount();
    }

    private void unmount() {
        run("umount", "-l", directory.toString());
        try {
            Files.delete(directory);
        } catch (IOException failure) {
            throw new UncheckedIOException("could not remove " + directory, failure);
        }
        lastWill.close();
    }
}
