package dev.hapax.benchmarks;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Producers that together send 500 messages a second, evenly. */
final class PacedProducers {

    static final int PER_SECOND = 500;
    static final int THREADS = 4;

    private static final long EACH_NANOS = 1_000_000_000L / PER_SECOND;

    private final Crew crew;

    PacedProducers(Crew crew) {
        this.crew = crew;
    }

    /** Sends one. */
    @FunctionalInterface
    interface Sending {
        void run() throws Exception;
    }

    Cell.Done run(Duration time, Sending sending) throws Exception {
        AtomicLong next = new AtomicLong(System.nanoTime());
        return crew.run(time, () -> {
            Waiting.untilNanos(next.getAndAdd(EACH_NANOS));
            sending.run();
            return 1;
        });
    }
}
