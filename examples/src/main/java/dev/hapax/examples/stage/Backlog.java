package dev.hapax.examples.stage;

import dev.hapax.examples.shop.RelayWorker;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What the shop has published and billing has not done yet. */
public final class Backlog {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final long LOOK_MILLIS = 50;

    private Backlog() {}

    /**
     * Waits until billing has done all, as long as it gets further at all.
     *
     * @param database where to look
     * @param broker what lies between shop and billing; null if nothing does
     * @param fleet billing's processes
     * @param notes gets what a person should know, a line at a time
     * @throws RunException if billing's processes can't be run, or database or broker can't be asked
     * @throws InterruptedException if this thread is interrupted
     */
    public static void await(ShopDatabase database, @Nullable ShopBroker broker, Fleet fleet, Consumer<String> notes)
            throws InterruptedException {
        try (Connection connection = database.connect()) {
            long least = Long.MAX_VALUE;
            long deadline = 0;
            for (long left = waiting(connection, database, broker);
                    left > 0;
                    left = waiting(connection, database, broker)) {
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

    /** First what is not published yet: it will be on the topic when that is looked at. */
    private static long waiting(Connection connection, ShopDatabase database, @Nullable ShopBroker broker)
            throws SQLException, InterruptedException {
        if (broker == null) {
            return database.waiting(connection);
        }
        long unread = database.waiting(connection, RelayWorker.RELAY) + broker.waiting(connection);
        // What billing has just read may have begun something at the bank.
        return unread > 0 ? unread : database.waiting(connection, RelayWorker.RELAY);
    }
}
