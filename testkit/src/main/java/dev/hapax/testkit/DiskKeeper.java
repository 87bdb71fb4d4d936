package dev.hapax.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A shell that mounts a {@code tmpfs}, changes its size when it is told to, and unmounts it when the pipe to it ends: at {@link #close()}, or because this JVM is gone, however it went.
 *
 * <p>Guarded by its owner.
 */
final class DiskKeeper implements AutoCloseable {

    private static final Duration END_TIMEOUT = Duration.ofSeconds(20);

    private static final String KEEP = """
            trap '' INT TERM HUP
            refuse() { echo "no $(echo "$1" | head -n 1)"; }
            said=$(mount -t tmpfs -o "size=$2,mode=0700" hapax-testkit "$1" 2>&1) || { refuse "$said"; exit 1; }
            echo "yes $$"
            while read -r size; do
              # With the source named, mount takes no other option from the mount that is there: in a namespace its owner has no number.
              if said=$(mount -o "remount,size=$size" hapax-testkit "$1" 2>&1); then echo yes; else refuse "$said"; fi
            done
            umount -l "$1" && rmdir "$1"
            """;

    /**
     * By whose right it is mounted.
     *
     * @param title as what a test says it
     * @param prefix the command that the shell is run by
     * @param hidden whether other processes don't see it where it is mounted; the shell's view of the file system is open to those of its user
     */
    record Way(String title, List<String> prefix, boolean hidden) {

        static final Way ROOT = new Way("as root", List.of(), false);
        static final Way NAMESPACE =
                new Way("in a namespace of its own, without root", List.of("unshare", "-r", "-m"), true);

        private Path seenFromHere(Path directory, String shell) {
            return hidden ? Path.of("/proc", shell, "root", directory.toString()) : directory;
        }
    }

    private final Process shell;
    private final BufferedReader replies;
    private final Path mounted;

    private DiskKeeper(Way way, Path directory, String size) {
        List<String> command = Stream.of(
                        way.prefix(),
                        List.of("sh", "-c", LastWill.APART, "hapax-testkit", KEEP),
                        List.of("hapax-testkit", directory.toString(), size))
                .flatMap(List::stream)
                .toList();
        try {
            shell = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException failure) {
            throw new IllegalStateException(failure.getMessage(), failure);
        }
        replies = shell.inputReader(StandardCharsets.UTF_8);
        mounted = way.seenFromHere(directory, reply());
    }

    /**
     * Mounts it.
     *
     * @param directory absolute, and empty; it goes with the mount
     * @throws IllegalStateException if this way is not open to this process; the message is what the system said
     */
    static DiskKeeper mount(Way way, Path directory, String size) {
        return new DiskKeeper(way, directory, size);
    }

    /** {@return where the file system is for this process and its children} */
    Path mounted() {
        return mounted;
    }

    /**
     * Changes its size.
     *
     * @throws IllegalStateException if there is more on it
     */
    void resize(String size) {
        try {
            shell.getOutputStream().write((size + "\n").getBytes(StandardCharsets.US_ASCII));
            shell.getOutputStream().flush();
        } catch (IOException failure) {
            throw new IllegalStateException("the shell that keeps the disk on " + mounted + " has ended", failure);
        }
        reply();
    }

    /** What it says beyond yes. */
    private String reply() {
        try {
            String line = replies.readLine();
            if (line == null) {
                throw new IllegalStateException("the shell that keeps a disk ended without a word");
            }
            if (line.equals("yes") || line.startsWith("yes ")) {
                return line.substring(3).strip();
            }
            throw new IllegalStateException(line.startsWith("no ") ? line.substring(3) : line);
        } catch (IOException failure) {
            throw new IllegalStateException("the shell that keeps a disk can't be heard", failure);
        }
    }

    /** Unmounts it, with all that is on it. */
    @Override
    public void close() {
        List<String> said = new ArrayList<>();
        try {
            shell.getOutputStream().close();
            replies.lines().forEach(said::add);
            if (!shell.waitFor(END_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS) || shell.exitValue() != 0) {
                throw new IllegalStateException("the disk on " + mounted + " was not unmounted: " + said);
            }
        } catch (IOException failure) {
            throw new IllegalStateException("the shell that keeps the disk on " + mounted + " has ended", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + mounted + " was unmounted", interrupted);
        }
    }
}
