package dev.hapax.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Signals to processes, and the promise that none outlives this JVM's orderly end. Thread-safe. */
final class Processes {
    /** The most output, in lines, that is kept of one process. */
    static final int KEPT_LINES = 10_000;

    private static final Duration SIGNAL_TIMEOUT = Duration.ofSeconds(10);
    private static final Set<ProcessHandle> GUARDED = ConcurrentHashMap.newKeySet();

    private static final AtomicBoolean LAST_GUARD_SET = new AtomicBoolean();

    private Processes() {}

    /** Kills the process when this JVM ends, unless it has ended before. */
    static void guard(ProcessHandle process) {
        GUARDED.add(process);
        // Not set up before it is needed: signals are also sent by a JVM that is ending, which takes no more hooks.
        if (!LAST_GUARD_SET.getAndSet(true)) {
            try {
                Runtime.getRuntime()
                        .addShutdownHook(
                                new Thread(() -> GUARDED.forEach(Processes::killTree), "hapax-testkit-last-guard"));
            } catch (IllegalStateException ending) {
                killTree(process);
                throw ending;
            }
        }
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

    /**
     * Whether the process has ended within the time. Looks often: for a process that is not this JVM's own child, the JDK's notice of its end comes
     * up to two seconds late.
     */
    static boolean ended(ProcessHandle process, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (alive(process)) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            pause(Duration.ofMillis(2));
        }
        return true;
    }

    /** Whether the process can still do something. One that has ended stays listed until its parent looks, which in a container may be never. */
    static boolean alive(ProcessHandle process) {
        if (!process.isAlive()) {
            return false;
        }
        Path status = Path.of("/proc", Long.toString(process.pid()), "stat");
        try {
            // "pid (name) state …", and the name may hold anything.
            String line = Files.exists(status) ? Files.readString(status, StandardCharsets.ISO_8859_1) : "";
            int state = line.lastIndexOf(')') + 2;
            return line.length() <= state || line.charAt(state) != 'Z';
        } catch (IOException goneMeanwhile) {
            return process.isAlive();
        }
    }

    /**
     * Lets a little time pass between two looks at something that gives no signal.
     *
     * @throws IllegalStateException if this thread is interrupted
     */
    static void pause(Duration time) {
        LockSupport.parkNanos(time.toNanos());
        if (Thread.currentThread().isInterrupted()) {
            throw new IllegalStateException("interrupted while waiting for a process");
        }
    }
}
