package dev.hapax.internal.consume;

import dev.hapax.internal.SystemSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The threads of a consumer's workers, and how their end is waited for. Not safe for use by many threads, but for {@link #isAnyAlive}. */
final class WorkerThreads {

    private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final String consumer;
    private final List<Worker> workers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    WorkerThreads(String consumer) {
        this.consumer = consumer;
    }

    void add(Worker worker) {
        workers.add(worker);
        threads.add(Thread.ofPlatform()
                .name("hapax-" + consumer + "-" + threads.size())
                .unstarted(worker));
    }

    void start() {
        threads.forEach(Thread::start);
    }

    boolean isAnyAlive() {
        return threads.stream().anyMatch(Thread::isAlive);
    }

    /** Waits until all have ended, or the time is over; returns whether they have. */
    boolean join(long deadlineNanos) {
        boolean all = true;
        for (Thread thread : threads) {
            all &= join(thread, deadlineNanos);
        }
        return all;
    }

    /** Has them roll back what they are at, and gives them a second for it; those that wait for the database lose their connection then, and have another second. */
    void rollBack() {
        workers.forEach(Worker::overdue);
        threads.forEach(Thread::interrupt);
        if (!join(SystemSource.INSTANCE.nanos() + SECOND_NANOS)) {
            workers.forEach(Worker::disconnect);
            join(SystemSource.INSTANCE.nanos() + SECOND_NANOS);
        }
    }

    static boolean join(Thread thread, long deadlineNanos) {
        try {
            long left = Math.max(1, deadlineNanos - SystemSource.INSTANCE.nanos());
            return thread.join(Duration.ofNanos(left));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
