package dev.hapax.examples.stage;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * How far the run is, and who waits for whom: a kill waits until so many lines are answered; the client may run ahead of a kill that is due, but not past
 * the next one. So each kill meets processes at work, on a slow machine too.
 *
 * <p>Thread-safe.
 */
public final class Progress {
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final int[] killPoints;
    private final int lines;
    private int answered;
    private int killed;
    private @Nullable Throwable failure;

    /**
     * Begins.
     *
     * @param killPoints how many lines are answered when each kill is due; rising, each below the number of lines
     * @param lines how many lines there are
     */
    public Progress(int[] killPoints, int lines) {
        this.killPoints = killPoints.clone();
        this.lines = lines;
    }

    /** One more line has its first answer. */
    void lineAnswered() {
        change(() -> answered++);
    }

    /** One more kill is done. */
    public void killDone() {
        change(() -> killed++);
    }

    /**
     * Nobody need wait any more: the run has failed.
     *
     * @param cause why
     */
    public void fail(Throwable cause) {
        change(() -> {
            if (failure == null) {
                failure = cause;
            }
        });
    }

    /** {@return how many lines have their first answer} */
    public int answered() {
        lock.lock();
        try {
            return answered;
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many kills are done} */
    public int killed() {
        lock.lock();
        try {
            return killed;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the client may send this line for the first time. */
    void awaitTurn(int line) throws InterruptedException {
        await(() -> line < limit(), "line " + line);
    }

    /**
     * Waits until a kill is due.
     *
     * @param kill its number, from 0
     * @throws RunException if the run has failed, or nothing has happened for minutes
     * @throws InterruptedException if this thread is interrupted
     */
    public void awaitKillPoint(int kill) throws InterruptedException {
        await(() -> answered >= killPoints[kill], "kill " + kill);
    }

    /** The client may go up to where the kill after the next one is due, and holds back the very last line for the last kill. */
    private int limit() {
        if (killed == killPoints.length) {
            return lines;
        }
        return killed + 1 < killPoints.length ? killPoints[killed + 1] : lines - 1;
    }

    /**
     * Looks whether it can go on.
     *
     * @throws RunException if the run has failed
     */
    public void check() {
        lock.lock();
        try {
            throwFailure();
        } finally {
            lock.unlock();
        }
    }

    private void throwFailure() {
        if (failure != null) {
            throw failure instanceof RunException own
                    ? own
                    : new RunException("the run failed: " + failure.getMessage(), failure);
        }
    }

    private void change(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private interface Wish {
        boolean holds();
    }

    /** Waits as long as lines are answered and processes are killed at all. */
    private void await(Wish wish, String who) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            int seen = -1;
            long deadline = 0;
            while (!wish.holds()) {
                throwFailure();
                if (answered + killed != seen) {
                    seen = answered + killed;
                    deadline = System.nanoTime() + PATIENCE.toNanos();
                }
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw new RunException("nothing has happened for " + PATIENCE + ", and " + who + " waits", null);
                }
                changed.await(left, TimeUnit.NANOSECONDS);
            }
            throwFailure();
        } finally {
            lock.unlock();
        }
    }
}
