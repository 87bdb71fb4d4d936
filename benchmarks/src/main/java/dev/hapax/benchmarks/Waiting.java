package dev.hapax.benchmarks;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Waits for what comes by itself, and not for ever. */
final class Waiting {

    private static final long LOOK_NANOS = Duration.ofMillis(5).toNanos();

    private Waiting() {}

    /** What is waited for. */
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }

    static void until(Duration longest, String what, Condition condition) throws InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        try {
            while (!condition.holds()) {
                if (System.nanoTime() - deadline > 0) {
                    throw new WrongRows("waited " + longest + " in vain: " + what);
                }
                LockSupport.parkNanos(LOOK_NANOS);
                if (Thread.interrupted()) {
                    throw new InterruptedException(what);
                }
            }
        } catch (InterruptedException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("while waiting: " + what, e);
        }
    }

    /** Waits until an instant of {@link System#nanoTime}; for pacing. */
    static void untilNanos(long nanoTime) {
        for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}
