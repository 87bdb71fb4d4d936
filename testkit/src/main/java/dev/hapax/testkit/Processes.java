package dev.hapax.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** Signals to processes, and the promise that none outlives this JVM's orderly end. Thread-safe. */
final class Processes {
    /** The most output, in lines, that is kept of one process. */
    static final int KEPT_LINES = 10_000;

    private static final Duration SIGNAL_TIMEOUT = Duration.ofSeconds(10);
    private static final Set<ProcessHandle> GUARDED = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> GUARDED.forEach(Processes::killTree), "hapax-testkit-last-guard"));
    }

    private Processes() {}

    /** Kills the process when this JVM ends, unless it has ended before. */
    static void guard(ProcessHandle process) {
        GUARDED.add(process);
        process.onExit().thenRun(() -> GUARDED.remove(process));
    }

    /**
     * Sends a signal; the JDK itself knows only TERM and KILL.
     *
     * @param name as {@code kill} spells it: INT, STOP, CONT …
     * @throws IllegalStateException if the signal could not be sent
     */
    static void signal(long pid, String name) {
        try {
            // The shell's own kill: the program of that name is missing from small systems.
            Process kill = new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid)
                    .redirectErrorStream(true)
                    .start();
            String output = new String(kill.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!kill.waitFor(SIGNAL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS) || kill.exitValue() != 0) {
                throw new IllegalStateException("signal " + name + " to process " + pid + " failed: " + output.strip());
            }
        } catch (IOException failure) {
            throw new IllegalStateException("signal " + name + " to process " + pid + " failed", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while process " + pid + " was signalled", interrupted);
        }
    }

    /** Kills the process and all that it started, with SIGKILL; does not wait. */
    static List<ProcessHandle> killTree(ProcessHandle process) {
        // The family is read before its head dies: orphans have another parent.
        List<ProcessHandle> family =
                Stream.concat(Stream.of(process), process.descendants()).toList();
        family.forEach(ProcessHandle::destroyForcibly);
        return family;
    }

    /** Whether the process has ended within the time. */
    static boolean ended(ProcessHandle process, Duration timeout) {
        try {
            process.onExit().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException stillThere) {
            return !process.isAlive();
        } catch (ExecutionException failure) {
            throw new IllegalStateException("could not wait for process " + process.pid(), failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for process " + process.pid(), interrupted);
        }
    }
}
