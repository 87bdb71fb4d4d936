package dev.hapax.examples.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Sends lines, so many at a time and so many a second, with the repeats that come much later among them. Used once; thread-safe. */
public final class Traffic {
    /** How many lines are on their way at once. */
    private static final int CONCURRENCY = 16;

    private final ReentrantLock lock = new ReentrantLock();
    private final PriorityQueue<Later> later = new PriorityQueue<>();
    private final OrderClient client;
    private final Chance chance;
    private final Progress progress;
    private final int rate;
    private final long startNanos = System.nanoTime();
    private int lines;
    private int next;

    /**
     * The time runs from now on.
     *
     * @param client sends
     * @param chance says what is repeated how
     * @param progress decides when a line may go out
     * @param lines the most lines to send
     * @param rate the most lines a second; 0 for as fast as possible. Who fell behind while nothing answered catches up
     */
    public Traffic(OrderClient client, Chance chance, Progress progress, int lines, int rate) {
        this.client = client;
        this.chance = chance;
        this.progress = progress;
        this.lines = lines;
        this.rate = rate;
    }

    /** A repeat that waits until the client is so far in the file. */
    private record Later(int due, int line) implements Comparable<Later> {
        @Override
        public int compareTo(Later other) {
            return due != other.due ? Integer.compare(due, other.due) : Integer.compare(line, other.line);
        }
    }

    /** What a sender does next. */
    private record Task(int line, boolean repeat) {}

    /**
     * Sends all.
     *
     * @return how many lines were sent, when each of them and each repeat is answered
     * @throws RunException if a line gets no answer, or the run has failed
     * @throws InterruptedException if this thread is interrupted
     */
    public int send() throws InterruptedException {
        List<Future<?>> senders = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                for (int i = 0; i < CONCURRENCY; i++) {
                    senders.add(threads.submit(this::work));
                }
                for (Future<?> sender : senders) {
                    sender.get();
                }
                return begun();
            } catch (ExecutionException failed) {
                throw failed.getCause() instanceof RunException own
                        ? own
                        : new RunException("sending failed: " + failed.getCause(), failed);
            } finally {
                threads.shutdownNow();
            }
        }
    }

    /** No further line is begun; repeats that wait go out at once. */
    public void stop() {
        lock.lock();
        try {
            lines = next;
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many lines have been begun} */
    public int begun() {
        lock.lock();
        try {
            return next;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Void work() throws InterruptedException {
        try {
            for (Task task = take(); task != null; task = take()) {
                if (task.repeat()) {
                    client.ask(task.line());
                } else {
                    progress.awaitTurn(task.line());
                    pace(task.line());
                    client.place(task.line());
                    if (chance.repeat(task.line()) == Chance.Repeat.MUCH_LATER) {
                        putOff(task.line());
                    }
                }
            }
            return null;
        } catch (RuntimeException failure) {
            progress.fail(failure);
            throw failure;
        }
    }

    private @Nullable Task take() {
        lock.lock();
        try {
            Later first = later.peek();
            if (first != null && (first.due() <= next || next == lines)) {
                later.remove();
                return new Task(first.line(), true);
            }
            return next < lines ? new Task(next++, false) : null;
        } finally {
            lock.unlock();
        }
    }

    private void putOff(int line) {
        lock.lock();
        try {
            later.add(new Later(chance.later(line), line));
        } finally {
            lock.unlock();
        }
    }

    private void pace(int line) throws InterruptedException {
        if (rate > 0) {
            long due = startNanos + (long) (line * 1e9 / rate);
            TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
        }
    }
}
