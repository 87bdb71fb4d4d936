package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.ShopDatabase;
import dev.hapax.testkit.BaseBackup;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.LimitedDisk;
import dev.hapax.testkit.Standby;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What takes the database back in time: commits that were answered are gone, marker and effect together. Who had the answers asks again, with the same keys, and what was lost is applied anew.
 */
final class RewindFaults {
    /** How long commits are made that will be lost. */
    private static final Duration LOST_TIME = Duration.ofSeconds(2);

    private static final Duration CAUGHT_UP = Duration.ofSeconds(30);

    private final ShopDatabase database;
    private final Network network;
    private final Customer customer;
    private final @Nullable LimitedDisk disk;
    private int standbys;

    RewindFaults(Site site) {
        this.database = site.database();
        this.network = site.network();
        this.customer = site.customer();
        this.disk = site.disk();
    }

    Struck failOver() throws Exception {
        EmbeddedDatabase primary = database.server();
        Standby standby = disk == null
                ? Standby.of(primary)
                : Standby.of(primary, disk.directory().resolve("standby-" + ++standbys));
        standby.awaitCaughtUp(CAUGHT_UP);
        long kept = System.nanoTime();
        standby.stopReceiving();
        TimeUnit.NANOSECONDS.sleep(LOST_TIME.toNanos());
        long since = System.nanoTime();
        primary.kill9();
        standby.promote();
        database.moveTo(standby);
        network.follow();
        String hit = askAgain(kept, System.nanoTime());
        return new Struck(hit, since, System.nanoTime());
    }

    Struck restore() throws Exception {
        EmbeddedDatabase server = database.server();
        long kept = System.nanoTime();
        try (BaseBackup backup = server.backUp()) {
            TimeUnit.NANOSECONDS.sleep(LOST_TIME.toNanos());
            long since = System.nanoTime();
            server.restore(backup);
            String hit = askAgain(kept, System.nanoTime());
            return new Struck(hit, since, System.nanoTime());
        }
    }

    /** What was answered before is in the standby, or in the backup; of the rest nobody knows. */
    private String askAgain(long keptNanos, long endNanos) throws InterruptedException {
        customer.tally().undone(keptNanos, endNanos);
        List<Integer> lines = customer.answeredSince(keptNanos);
        customer.askAgain(lines);
        String hit = lines.size() + " lines asked for again";
        if (database.isNaive()) {
            return hit;
        }
        return hit
                + (Operator.accept(database.server(), hit)
                        ? "; noticed, and accepted by an operator"
                        : "; not noticed");
    }
}
