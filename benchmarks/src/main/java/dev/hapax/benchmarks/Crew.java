package dev.hapax.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Threads that do one thing again and again until the time is over; the same threads for all sides. */
final class Crew implements AutoCloseable {

    private final int size;
    private final ExecutorService threads;

    Crew(int size) {
        this.size = size;
        this.threads = Executors.newFixedThreadPool(
                size, Thread.ofPlatform().daemon().name("bench-", 0).factory());
    }

    /** What is done again and again. */
    @FunctionalInterface
    interface Work {

        /** Returns how many operations it did. */
        long run() throws Exception;
    }

    int size() {
        return size;
    }

    /** Works for so long on all threads. The time counts until the last one has ended what it began. */
    Cell.Done run(Duration time, Work work) throws Exception {
        CountDownLatch begin = new CountDownLatch(1);
        List<Future<Long>> results = new ArrayList<>(size);
        long[] deadline = {0};
        for (int i = 0; i < size; i++) {
            results.add(threads.submit(() -> {
                begin.await();
                long done = 0;
                do {
                    done += work.run();
                } while (System.nanoTime() - deadline[0] < 0);
                return done;
            }));
        }
        long began = System.nanoTime();
        deadline[0] = began + time.toNanos();
        begin.countDown();
        long done = 0;
        for (Future<Long> result : results) {
            try {
                done += result.get();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            }
        }
        return new Cell.Done(done, System.nanoTime() - began);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
