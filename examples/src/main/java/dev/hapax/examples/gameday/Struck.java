package dev.hapax.examples.gameday;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A fault that is over; what it has caused may not be.
 *
 * @param hit what it hit, and what is worth knowing of it
 * @param begin when it began, by {@link System#nanoTime()}
 * @param end when its cause was gone
 */
record Struck(String hit, long begin, long end) {

    /** What does something to the system, or undoes it. */
    interface Step {
        void run() throws Exception;
    }

    /** Begins, lets it last, and ends it however that went. */
    static Struck during(String hit, Duration time, Step begin, Step end) throws Exception {
        long since = System.nanoTime();
        try {
            begin.run();
            TimeUnit.NANOSECONDS.sleep(time.toNanos());
        } finally {
            end.run();
        }
        return new Struck(hit, since, System.nanoTime());
    }

    /** What is over as soon as it is done. */
    static Struck at(String hit, Step blow) throws Exception {
        long since = System.nanoTime();
        blow.run();
        return new Struck(hit, since, System.nanoTime());
    }
}
