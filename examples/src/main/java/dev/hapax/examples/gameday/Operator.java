package dev.hapax.examples.gameday;

import dev.hapax.Hapax;
import dev.hapax.testkit.EmbeddedDatabase;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The person on call: when the database has gone back in time and what was lost has been asked for again, lets billing go on. */
final class Operator {
    /** Within a second of the first connection it is noticed; whoever waited for one needs longer. */
    private static final Duration NOTICED = Duration.ofSeconds(10);

    private static final long LOOK_MILLIS = 50;

    private Operator() {}

    /**
     * Waits until a process has noticed, and says the word.
     *
     * @return whether any has noticed
     */
    static boolean accept(EmbeddedDatabase server, String reason) throws InterruptedException {
        long deadline = System.nanoTime() + NOTICED.toNanos();
        try (Hapax hapax = Hapax.on(server.dataSource())
                .name("operator")
                .housekeeping(false)
                .open()) {
            while (!hapax.history().accept(reason, "game day")) {
                if (System.nanoTime() - deadline >= 0) {
                    return false;
                }
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            }
            return true;
        }
    }
}
