package dev.hapax.internal.saga;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many sagas of a definition this process runs, and how many more it may. What was taken up is run even if others came in between: a few too many are better than a start that has to be put off because somebody looks. Safe for use by
 * many threads.
 */
final class Room {

    private final int most;
    private final AtomicInteger running = new AtomicInteger();

    Room(int most) {
        this.most = most;
    }

    boolean tryEnter() {
        while (true) {
            int now = running.get();
            if (now >= most) {
                return false;
            }
            if (running.compareAndSet(now, now + 1)) {
                return true;
            }
        }
    }

    void enter() {
        running.incrementAndGet();
    }

    /** Returns whether enough has become free for looking to be worth a statement. */
    boolean leave() {
        return running.decrementAndGet() <= most / 2;
    }

    int left() {
        return Math.max(0, most - running.get());
    }
}
