package dev.hapax.testkit;

import dev.hapax.testkit.DiskKeeper.Way;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file system of its own that can be made full and roomy again at once, whatever writes on it: a {@code tmpfs} whose size is changed. Linux only: this process mounts it as root, or as any other user in a
 * namespace of its own, where the machine lets users have namespaces.
 *
 * <p>Thread-safe.
 */
public final class LimitedDisk implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LimitedDisk.class);
    private static final int TRIES = 50;

    /** Servers of root run in a namespace of theirs, which sees into no other. */
    private static final Way WAY = "root".equals(System.getProperty("user.name")) ? Way.ROOT : Way.NAMESPACE;

    private static final String NEEDED =
            "it needs Linux, and either root that may mount (in a container, the capability SYS_ADMIN)"
                    + " or another user that may have namespaces (see the kernel's settings user.max_user_namespaces and"
                    + " kernel.apparmor_restrict_unprivileged_userns, and a container's seccomp profile)";

    private final ReentrantLock lock = new ReentrantLock();
    private final int mebibytes;
    private final Way way;
    private final DiskKeeper keeper;

    private LimitedDisk(int mebibytes, Way way, DiskKeeper keeper) {
        this.mebibytes = mebibytes;
        this.way = way;
        this.keeper = keeper;
    }

    /** {@return why this machine has no such disk, in one line; empty if it has} */
    public static Optional<String> problem() {
        try (LimitedDisk disk = open(1)) {
            LOG.debug("{} could be had", disk);
            return Optional.empty();
        } catch (IllegalStateException failure) {
            return Optional.of(String.valueOf(failure.getMessage()));
        }
    }

    /**
     * Mounts a file system.
     *
     * @param mebibytes its size, 1 to 100,000; memory is taken only as files need it
     * @return the empty disk
     * @throws IllegalStateException if this process may not mount one; the message says what it would take
     */
    public static LimitedDisk open(int mebibytes) {
        return open(mebibytes, WAY);
    }

    static LimitedDisk open(int mebibytes, Way way) {
        if (mebibytes < 1 || mebibytes > 100_000) {
            throw new IllegalArgumentException("size is " + mebibytes + " MiB; allowed are 1 to 100000");
        }
        try {
            Path directory = Files.createTempDirectory("hapax-disk").toAbsolutePath();
            try {
                LimitedDisk disk = new LimitedDisk(mebibytes, way, DiskKeeper.mount(way, directory, mebibytes + "m"));
                LOG.info("a disk of {}", disk);
                return disk;
            } catch (IllegalStateException refused) {
                Files.delete(directory);
                throw new IllegalStateException(
                        "a full disk can't be tried here: " + NEEDED + "; mounting it " + way.title() + " failed: "
                                + refused.getMessage(),
                        refused);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException("no directory for a disk", failure);
        }
    }

    /** {@return where it is for this process and those that it starts} */
    public Path directory() {
        return keeper.mounted();
    }

    /** Takes all room that is left, at once: files that are there can be overwritten, but none can grow. */
    public void fill() {
        lock.lock();
        try {
            for (int tries = 1; ; tries++) {
                try {
                    keeper.resize(Long.toString(Math.max(4096, used())));
                    return;
                } catch (IllegalStateException grownMeanwhile) {
                    // It can't be made smaller than what is on it, and somebody may have written since it was measured.
                    if (tries == TRIES) {
                        throw grownMeanwhile;
                    }
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private long used() {
        // A FileStore looks for the path in this process's own mounts.
        File root = directory().toFile();
        long total = root.getTotalSpace();
        if (total == 0) {
            throw new IllegalStateException("the disk on " + root + " can't be measured");
        }
        return total - root.getFreeSpace();
    }

    /** Gives the room back that {@link #fill()} took. */
    public void free() {
        lock.lock();
        try {
            keeper.resize(mebibytes + "m");
        } finally {
            lock.unlock();
        }
    }

    /** Unmounts it; what is on it is gone. Whoever has a file open there must have closed it. */
    @Override
    public void close() {
        keeper.close();
    }

    @Override
    public String toString() {
        return mebibytes + " MiB on " + directory() + ", mounted " + way.title();
    }
}
