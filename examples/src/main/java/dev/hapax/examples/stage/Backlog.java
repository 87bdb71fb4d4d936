package dev.hapax.examples.stage;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** What the shop has published and billing has not done yet. */
public final class Backlog {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final long LOOK_MILLIS = 50;

    private Backlog() {}

    /**
     * Waits until billing has done all, as long as it gets further at all.
     *
     * @param database where to look
     * @param fleet billing's processes
     * @param notes gets what a person should know, a line at a time
     * @throws RunException if billing's processes can't be run, or the database can't be asked
     * @throws InterruptedException if this thread is interrupted
     */
    public static void await(ShopDatabase database, Fleet fleet, Consumer<String> notes) throws InterruptedException {
        try (Connection connection = database.connect()) {
            long least = Long.MAX_VALUE;
            long deadline = 0;
            for (long left = database.waiting(connection); left > 0; left = database.waiting(connection)) {
                fleet.check();
                if (left < least) {
                    least = left;
                    deadline = System.nanoTime() + PATIENCE.toNanos();
                } else if (System.nanoTime() - deadline >= 0) {
                    notes.accept("billing has not got further for " + PATIENCE + "; " + left + " messages wait");
                    return;
                }
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            }
            long quarantined = database.quarantined(connection);
            if (quarantined > 0) {
                notes.accept("billing has set aside " + quarantined + " messages");
            }
        } catch (SQLException failure) {
            throw new RunException("billing's backlog could not be asked for: " + failure.getMessage(), failure);
        }
    }
}
