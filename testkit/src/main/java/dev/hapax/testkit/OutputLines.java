package dev.hapax.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The output of one process, line by line; whoever waits for a line is woken by it. Keeps the last {@value Processes#KEPT_LINES} lines.
 * Thread-safe.
 */
final class OutputLines {
    private static final int LINES_IN_A_MESSAGE = 40;

    private final String name;
    private final Consumer<String> listener;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<String> kept = new ArrayDeque<>();
    private long taken;
    private boolean ended;

    private OutputLines(String name, Consumer<String> listener) {
        this.name = name;
        this.listener = listener;
    }

    /** Reads until the stream ends, in a thread of its own. */
    static OutputLines of(InputStream stream, String name, Consumer<String> listener) {
        OutputLines lines = new OutputLines(name, listener);
        Thread.ofPlatform().daemon().name(name + "-output").start(() -> lines.readAll(stream));
        return lines;
    }

    private void readAll(InputStream stream) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                add(line);
                listener.accept(line);
            }
        } catch (IOException closed) {
            // A process that is killed may leave its pipe broken instead of ended; what it said so far is all there is.
            add("(output ended: " + closed.getMessage() + ")");
        } finally {
            end();
        }
    }

    private void add(String line) {
        lock.lock();
        try {
            if (kept.size() == Processes.KEPT_LINES) {
                kept.removeFirst();
            }
            kept.addLast(line);
            taken++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void end() {
        lock.lock();
        try {
            ended = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    List<String> all() {
        lock.lock();
        try {
            return List.copyOf(kept);
        } finally {
            lock.unlock();
        }
    }

    /** How many lines there have been; a later wait can ask for lines after it. */
    long count() {
        lock.lock();
        try {
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /**
     * The first line that fits among those after the first {@code skip}; waits for it.
     *
     * @throws TimeoutException if none came in time, or the output ended without one; the message holds the last lines
     */
    String await(Predicate<String> wanted, long skip, Duration timeout) throws TimeoutException, InterruptedException {
        long left = timeout.toNanos();
        lock.lockInterruptibly();
        try {
            while (true) {
                String found = find(wanted, skip);
                if (found != null) {
                    return found;
                }
                if (ended || left <= 0) {
                    throw new TimeoutException(name + (ended ? " ended" : " did not print within " + timeout)
                            + (ended ? " without printing" : "") + " the line that was waited for; its last lines:\n"
                            + tail());
                }
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private @Nullable String find(Predicate<String> wanted, long skip) {
        long number = taken - kept.size();
        for (String line : kept) {
            if (number++ >= skip && wanted.test(line)) {
                return line;
            }
        }
        return null;
    }

    String tail() {
        List<String> lines = all();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LINES_IN_A_MESSAGE), lines.size()));
    }
}
