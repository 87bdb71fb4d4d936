package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.OrderClient;
import dev.hapax.examples.stage.Tally;
import dev.hapax.examples.stage.Traffic;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/** The client beside its steady work: asks again for what it has asked for before. */
record Customer(OrderClient client, Traffic traffic, Tally tally) {
    private static final int CONCURRENCY = 16;

    /** Asks for lines again, some at a time, with their own keys; each until it is answered. */
    void askAgain(List<Integer> lines) throws InterruptedException {
        Queue<Integer> left = new ConcurrentLinkedQueue<>(lines);
        List<Future<?>> askers = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                for (int i = 0; i < CONCURRENCY; i++) {
                    askers.add(threads.submit(() -> {
                        for (Integer line = left.poll(); line != null; line = left.poll()) {
                            client.ask(line);
                        }
                        return null;
                    }));
                }
                for (Future<?> asker : askers) {
                    asker.get();
                }
            } catch (ExecutionException failed) {
                throw failed.getCause() instanceof RuntimeException own ? own : new IllegalStateException(failed);
            } finally {
                threads.shutdownNow();
            }
        }
    }

    /** The lines that had their first answer at a moment or later. */
    List<Integer> answeredSince(long nanos) {
        return IntStream.range(0, traffic.begun())
                .filter(line -> tally.tookNanos(line) > 0 && tally.answeredNanos(line) - nanos >= 0)
                .boxed()
                .toList();
    }
}
