package dev.hapax.examples.demo;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * One run: starts the database and the processes, sends the orders, kills, waits until billing has caught up, ends the processes in order, and only then
 * counts the rows.
 *
 * <p>Used once, by one thread.
 */
final class Demo {
    private static final Duration BILLING_PATIENCE = Duration.ofMinutes(1);
    private static final long LOOK_MILLIS = 50;

    private final DemoPlan plan;
    private final Screen screen;
    private final Tally tally;
    private final Chance chance;
    private final Progress progress;
    private long nanos;

    Demo(DemoPlan plan, Screen screen) {
        this.plan = plan;
        this.screen = screen;
        this.tally = new Tally(plan.lines());
        this.chance = new Chance(plan, Instant.now().toEpochMilli());
        this.progress = new Progress(chance.killPoints(), plan.lines());
    }

    /**
     * Runs it.
     *
     * @throws DemoException if the run can't be brought to its end
     * @throws InterruptedException if this thread is interrupted; nothing is left running
     */
    DemoResult run() throws InterruptedException {
        sayWhat();
        try (DemoDatabase database = DemoDatabase.fresh(plan.data(), plan.naive())) {
            work(database);
            try (Connection connection = database.connect()) {
                return new DemoResult(
                        plan.orders(), Audit.of(connection, plan.orders()), tally, progress.killed(), nanos);
            }
        } catch (SQLException failure) {
            throw new DemoException("the rows could not be counted: " + failure.getMessage(), failure);
        }
    }

    private void sayWhat() {
        screen.line(String.format(
                Locale.ROOT,
                "%,d lines of %,d invoices to %d shop and %d billing processes%s; %.0f %% repeated, %d kills; seed %d",
                plan.lines(),
                plan.orders().invoices(),
                plan.workers(),
                plan.workers(),
                plan.naive() ? " without Hapax" : "",
                plan.load().repeats() * 100,
                plan.kills(),
                plan.load().seed()));
    }

    private void work(DemoDatabase database) throws InterruptedException {
        try (Fleet fleet = new Fleet(database.jdbcUrl(), plan.naive(), screen::line)) {
            Runtime.getRuntime().addShutdownHook(new Thread(fleet::noMore, "no-more"));
            fleet.start(plan.workers());
            // The first process that answers is enough to begin with.
            fleet.shop(0);
            long start = System.nanoTime();
            try (StatusLine status = new StatusLine(screen, tally, progress);
                    OrderClient client = new OrderClient(plan.orders(), chance, fleet::shop, tally, progress)) {
                Thread killer = Thread.ofPlatform().daemon().name("killer").start(() -> kill(fleet));
                try {
                    new Traffic(client, chance, progress, plan).send();
                } finally {
                    killer.interrupt();
                    killer.join();
                }
                awaitBilling(database, fleet);
                nanos = System.nanoTime() - start;
            }
        }
    }

    private void kill(Fleet fleet) {
        try {
            for (int kill = 0; kill < plan.kills(); kill++) {
                progress.awaitKillPoint(kill);
                Chance.Kill next = chance.kill(kill);
                TimeUnit.MICROSECONDS.sleep(next.delayMicros());
                fleet.kill(next.shop(), next.pick());
                progress.killDone();
            }
        } catch (InterruptedException interrupted) {
            // The run is over; there is nothing left to kill.
            Thread.currentThread().interrupt();
        } catch (RuntimeException failure) {
            progress.fail(failure);
        }
    }

    /** Waits as long as billing gets further at all. */
    private void awaitBilling(DemoDatabase database, Fleet fleet) throws InterruptedException {
        try (Connection connection = database.connect()) {
            long least = Long.MAX_VALUE;
            long deadline = 0;
            for (long left = database.waiting(connection); left > 0; left = database.waiting(connection)) {
                fleet.check();
                if (left < least) {
                    least = left;
                    deadline = System.nanoTime() + BILLING_PATIENCE.toNanos();
                } else if (System.nanoTime() - deadline >= 0) {
                    screen.line("billing has not got further for " + BILLING_PATIENCE + "; " + left + " messages wait");
                    return;
                }
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            }
            long quarantined = database.quarantined(connection);
            if (quarantined > 0) {
                screen.line("billing has set aside " + quarantined + " messages");
            }
        } catch (SQLException failure) {
            throw new DemoException("billing's backlog could not be asked for: " + failure.getMessage(), failure);
        }
    }
}
