package dev.hapax.testkit;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A JVM of its own that a test can kill, stop and wake.
 *
 * <p>It runs on this JVM's JDK and class path. Its output, both streams together, is kept line by line, and a line can be waited for. It never
 * outlives an orderly end of this JVM; one whose {@code main} calls {@link #endWithParent()} doesn't outlive a SIGKILL of it either.
 *
 * <p>Thread-safe.
 */
public final class ChildJvm implements AutoCloseable {
    private static final Duration END_TIMEOUT = Duration.ofSeconds(30);

    private final String name;
    private final Process process;
    private final OutputLines output;
    private final AtomicReference<@Nullable LastWill> waker = new AtomicReference<>();

    private ChildJvm(String name, Process process, Consumer<String> listener) {
        this.name = name;
        this.process = process;
        this.output = OutputLines.of(process.getInputStream(), name, listener);
    }

    /**
     * Describes a JVM that runs the {@code main} of a class.
     *
     * @param main a class on this JVM's class path
     * @return a builder, not thread-safe
     */
    public static Builder of(Class<?> main) {
        return new Builder(main);
    }

    /**
     * For the child's {@code main}: halts this JVM when the one that started it is gone, however it went. It takes standard input, which the parent
     * keeps open as long as it lives.
     */
    public static void endWithParent() {
        InputStream lifeline = System.in;
        Thread.ofPlatform().daemon().name("hapax-testkit-lifeline").start(() -> {
            try {
                byte[] ignored = new byte[256];
                while (lifeline.read(ignored) >= 0) {
                    // Whatever is said here only shows that the parent lives.
                }
            } catch (IOException broken) {
                System.err.println("the parent's pipe broke: " + broken.getMessage());
            }
            Runtime.getRuntime().halt(1);
        });
    }

    /** {@return the process id} */
    public long pid() {
        return process.pid();
    }

    /** {@return whether it still runs; a stopped process counts as running} */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** {@return the last lines of output, at most ten thousand, oldest first} */
    public List<String> lines() {
        return output.all();
    }

    /** {@return how many lines it has printed so far; see {@link #awaitLineAfter}} */
    public long lineCount() {
        return output.count();
    }

    /**
     * Waits until the child has printed a line that contains a text; a line of the past counts.
     *
     * @param text the text
     * @param timeout how long to wait
     * @return the line
     * @throws TimeoutException if no such line came in time, or the child ended without it; the message holds its last lines
     * @throws InterruptedException if this thread is interrupted
     */
    public String awaitLine(String text, Duration timeout) throws TimeoutException, InterruptedException {
        return awaitLineAfter(0, line -> line.contains(text), timeout);
    }

    /**
     * Waits until the child has printed a line that fits, not counting the first lines.
     *
     * @param skip how many lines of its output to pass over: an earlier {@link #lineCount()}
     * @param wanted whether a line fits; called under a lock, must not block
     * @param timeout how long to wait
     * @return the line
     * @throws TimeoutException if no such line came in time, or the child ended without it; the message holds its last lines
     * @throws InterruptedException if this thread is interrupted
     */
    public String awaitLineAfter(long skip, Predicate<String> wanted, Duration timeout)
            throws TimeoutException, InterruptedException {
        return output.await(wanted, skip, timeout);
    }

    /**
     * Waits until the child has ended.
     *
     * @param timeout how long to wait
     * @return its exit status; 128 + the signal's number if a signal ended it
     * @throws TimeoutException if it still runs after that time; the message holds its last lines
     * @throws InterruptedException if this thread is interrupted
     */
    public int awaitExit(Duration timeout) throws TimeoutException, InterruptedException {
        if (!process.waitFor(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
            throw new TimeoutException(name + " did not end within " + timeout + "; its last lines:\n" + output.tail());
        }
        return process.exitValue();
    }

    /**
     * Writes one line to the child's standard input.
     *
     * @param line without a line end
     * @throws UncheckedIOException if the child doesn't take it any more
     */
    public void send(String line) {
        try {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException failure) {
            throw new UncheckedIOException(name + " takes no input", failure);
        }
    }

    /** Kills it with SIGKILL and waits until it is gone. */
    public void kill9() {
        // By its handle: the process object would close the pipes, and lose the last lines.
        process.toHandle().destroyForcibly();
        try {
            if (!process.waitFor(END_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new IllegalStateException(this + " outlived SIGKILL for " + END_TIMEOUT);
            }
            wakeLater(null);
        } catch (InterruptedException interrupted) {
            // It is dying all the same; only the certainty is lost.
            Thread.currentThread().interrupt();
        }
    }

    /** Asks it to end (SIGTERM); its shutdown hooks run. Doesn't wait: see {@link #awaitExit}. */
    public void terminate() {
        process.toHandle().destroy();
    }

    /**
     * Freezes it where it stands (SIGSTOP), as a long pause of the machine would. It wakes when this JVM is killed, so that it can see it.
     *
     * @throws IllegalStateException if the signal could not be sent
     */
    public void sigstop() {
        wakeLater(LastWill.wake(pid()));
        Processes.signal(pid(), "STOP");
    }

    /**
     * Wakes it from {@link #sigstop()} (SIGCONT).
     *
     * @throws IllegalStateException if the signal could not be sent
     */
    public void sigcont() {
        Processes.signal(pid(), "CONT");
        wakeLater(null);
    }

    private void wakeLater(@Nullable LastWill next) {
        LastWill before = waker.getAndSet(next);
        if (before != null) {
            before.close();
        }
    }

    /** Kills it, if it still runs, and waits until it is gone. */
    @Override
    public void close() {
        kill9();
    }

    @Override
    public String toString() {
        return name + " (process " + pid() + ")";
    }

    /** Says how a child is started. Not thread-safe. */
    public static final class Builder {
        private final Class<?> main;
        private final List<String> jvmArguments = new ArrayList<>();
        private final Map<String, String> environment = new LinkedHashMap<>();
        private List<String> arguments = List.of();
        private Consumer<String> listener = line -> {};
        private @Nullable Path directory;
        private String name;
        private int heapMebibytes = 96;

        private Builder(Class<?> main) {
            this.main = main;
            this.name = main.getSimpleName();
        }

        /**
         * Names the child in messages and thread names; its class's simple name by default.
         *
         * @param newName the name
         * @return this
         */
        public Builder name(String newName) {
            name = newName;
            return this;
        }

        /**
         * Gives the arguments of {@code main}.
         *
         * @param newArguments the arguments
         * @return this
         */
        public Builder arguments(String... newArguments) {
            arguments = List.of(newArguments);
            return this;
        }

        /**
         * Adds arguments of the JVM itself, such as {@code -Dname=value}. By default it compiles quickly rather than well
         * ({@code -XX:TieredStopAtLevel=1}) and collects with one thread; arguments given here win.
         *
         * @param more the arguments
         * @return this
         */
        public Builder jvm(String... more) {
            jvmArguments.addAll(List.of(more));
            return this;
        }

        /**
         * Limits the heap; 96 MiB by default.
         *
         * @param mebibytes 16 or more
         * @return this
         */
        public Builder heap(int mebibytes) {
            if (mebibytes < 16) {
                throw new IllegalArgumentException("heap is " + mebibytes + " MiB; a JVM needs 16 or more");
            }
            heapMebibytes = mebibytes;
            return this;
        }

        /**
         * Sets an environment variable.
         *
         * @param variable its name
         * @param value its value
         * @return this
         */
        public Builder environment(String variable, String value) {
            environment.put(variable, value);
            return this;
        }

        /**
         * Sets the working directory; this JVM's by default.
         *
         * @param newDirectory an existing directory
         * @return this
         */
        public Builder directory(Path newDirectory) {
            directory = newDirectory;
            return this;
        }

        /**
         * Passes every line of output on as it comes, in the thread that reads it.
         *
         * @param newListener must not block for long
         * @return this
         */
        public Builder onLine(Consumer<String> newListener) {
            listener = newListener;
            return this;
        }

        /**
         * Starts it.
         *
         * @return the running child
         * @throws UncheckedIOException if the JVM can't be started
         */
        public ChildJvm start() {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.add("-Xmx" + heapMebibytes + "m");
            command.add("-XX:TieredStopAtLevel=1");
            if (jvmArguments.stream().noneMatch(argument -> argument.matches("-XX:\\+Use\\w*GC"))) {
                command.add("-XX:+UseSerialGC");
            }
            // The launcher's cache of loaded classes fits, since the class path is the same.
            String cache = System.getProperty("hapax.aotCache");
            if (cache != null) {
                command.addAll(List.of(
                        "-XX:AOTCache=" + cache, "-Dhapax.aotCache=" + cache, "-Xlog:aot=off", "-Xlog:cds=off"));
            }
            command.addAll(jvmArguments);
            command.add("-cp");
            command.add(absolute(System.getProperty("java.class.path")));
            command.add(main.getName());
            command.addAll(arguments);
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().putAll(environment);
            if (directory != null) {
                builder.directory(directory.toFile());
            }
            try {
                Process process = builder.start();
                Processes.guard(process.toHandle());
                return new ChildJvm(name, process, listener);
            } catch (IOException failure) {
                throw new UncheckedIOException("could not start a JVM for " + main.getName(), failure);
            }
        }

        /** A child with a working directory of its own finds the class path all the same. */
        private static String absolute(String classPath) {
            List<String> entries = new ArrayList<>();
            for (String entry : classPath.split(File.pathSeparator, -1)) {
                entries.add(Path.of(entry).toAbsolutePath().toString());
            }
            return String.join(File.pathSeparator, entries);
        }
    }
}
