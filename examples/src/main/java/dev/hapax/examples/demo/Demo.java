package dev.hapax.examples.demo;

import dev.hapax.examples.demo.Kills.Victim;
import dev.hapax.examples.stage.Audit;
import dev.hapax.examples.stage.Backlog;
import dev.hapax.examples.stage.Bank;
import dev.hapax.examples.stage.BankAudit;
import dev.hapax.examples.stage.Chance;
import dev.hapax.examples.stage.Fleet;
import dev.hapax.examples.stage.OrderClient;
import dev.hapax.examples.stage.Progress;
import dev.hapax.examples.stage.Published;
import dev.hapax.examples.stage.Role;
import dev.hapax.examples.stage.RunException;
import dev.hapax.examples.stage.Screen;
import dev.hapax.examples.stage.ShopBroker;
import dev.hapax.examples.stage.ShopDatabase;
import dev.hapax.examples.stage.StatusLine;
import dev.hapax.examples.stage.Tally;
import dev.hapax.examples.stage.Traffic;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One run: starts the database and the processes, sends the orders, kills, waits until billing has caught up, ends the processes in order, and only then
 * counts the rows.
 *
 * <p>Used once, by one thread.
 */
final class Demo {
    private final DemoPlan plan;
    private final Screen screen;
    private final Tally tally;
    private final Chance chance;
    private final Kills kills;
    private final Progress progress;
    private long nanos;

    Demo(DemoPlan plan, Screen screen) {
        this.plan = plan;
        this.screen = screen;
        this.tally = new Tally(plan.lines());
        this.chance = new Chance(plan.lines(), plan.load(), Instant.now().toEpochMilli());
        this.kills = new Kills(
                plan.lines(),
                plan.kills(),
                victims(plan.staging().between()),
                plan.load().seed());
        this.progress = new Progress(kills.points(), plan.lines());
    }

    private static List<Victim> victims(Staging.Between between) {
        return switch (between) {
            case Staging.Between.Log log -> List.of(Victim.SHOP, Victim.BILLING);
            case Staging.Between.OwnKafka own -> List.of(Victim.SHOP, Victim.BROKER, Victim.BILLING, Victim.RELAY);
            case Staging.Between.Kafka foreign -> List.of(Victim.SHOP, Victim.BILLING, Victim.RELAY);
        };
    }

    /**
     * Runs it.
     *
     * @throws RunException if the run can't be brought to its end
     * @throws InterruptedException if this thread is interrupted; nothing is left running
     */
    DemoResult run() throws InterruptedException {
        sayWhat();
        Staging staging = plan.staging();
        try (ShopDatabase database = ShopDatabase.fresh(staging.data(), staging.naive());
                ShopBroker broker = staging.broker();
                Bank bank = bank(database)) {
            sayTopic(broker);
            work(database, broker, bank);
            return count(database, broker, bank);
        } catch (SQLException failure) {
            throw new RunException("the rows could not be counted: " + failure.getMessage(), failure);
        }
    }

    private @Nullable Bank bank(ShopDatabase database) throws InterruptedException {
        return plan.bank() == DemoPlan.Bank.NONE
                ? null
                : Bank.open(
                        database,
                        plan.bank() == DemoPlan.Bank.KEYED,
                        plan.load().seed());
    }

    private DemoResult count(ShopDatabase database, @Nullable ShopBroker broker, @Nullable Bank bank)
            throws SQLException {
        Published published = broker == null ? null : broker.published(plan.orders(), plan.lines());
        try (Connection connection = database.connect()) {
            BankAudit atBank = bank == null ? null : lookInto(bank, connection);
            Audit audit = Audit.of(connection, plan.orders(), plan.lines());
            return new DemoResult(
                    plan.orders(), audit, new DemoResult.Elsewhere(published, atBank), tally, progress.killed(), nanos);
        }
    }

    private BankAudit lookInto(Bank bank, Connection shop) throws SQLException {
        try (Connection books = bank.connect()) {
            return BankAudit.of(books, shop, plan.orders(), plan.staging().naive());
        }
    }

    private void sayWhat() {
        screen.line(String.format(
                Locale.ROOT,
                "%,d lines of %,d invoices to %d shop and %d billing processes%s%s; %.0f %% repeated, %d kills; seed %d",
                plan.lines(),
                plan.orders().invoices(),
                plan.workers(),
                plan.workers(),
                plan.staging().naive() ? " without Hapax" : "",
                plan.staging().between() instanceof Staging.Between.Log ? "" : " by way of Kafka",
                plan.load().repeats() * 100,
                plan.kills(),
                plan.load().seed()));
    }

    private void sayTopic(@Nullable ShopBroker broker) {
        if (broker != null && !broker.isOwn()) {
            screen.line("publishes to topic " + broker.access().topic() + " of "
                    + broker.access().servers() + ", which stays");
        }
    }

    private void work(ShopDatabase database, @Nullable ShopBroker broker, @Nullable Bank bank)
            throws InterruptedException {
        try (Fleet fleet =
                new Fleet(process -> database.jdbcUrl(), plan.staging().naive(), screen::line)) {
            if (broker != null) {
                fleet.publishTo(broker.access());
            }
            Runtime.getRuntime().addShutdownHook(new Thread(fleet::noMore, "no-more"));
            if (bank != null) {
                fleet.payAt(bank.address());
            }
            fleet.start(plan.workers());
            // The first process that answers is enough to begin with.
            fleet.shop(0);
            long start = System.nanoTime();
            try (StatusLine status = new StatusLine(screen, tally, progress, () -> "killed " + progress.killed());
                    OrderClient client = new OrderClient(plan.orders(), chance, fleet::shop, tally, progress)) {
                Thread killer = Thread.ofPlatform().daemon().name("killer").start(() -> kill(fleet, broker));
                try {
                    new Traffic(
                                    client,
                                    chance,
                                    progress,
                                    plan.lines(),
                                    plan.load().rate())
                            .send();
                } finally {
                    killer.interrupt();
                    killer.join();
                }
                Backlog.await(database, broker, fleet, screen::line);
                nanos = System.nanoTime() - start;
            }
        }
    }

    private void kill(Fleet fleet, @Nullable ShopBroker broker) {
        try {
            for (int kill = 0; kill < plan.kills(); kill++) {
                progress.awaitKillPoint(kill);
                Kills.Kill next = kills.kill(kill);
                TimeUnit.MICROSECONDS.sleep(next.delayMicros());
                kill(next, fleet, broker);
                progress.killDone();
            }
        } catch (InterruptedException interrupted) {
            // The run is over; there is nothing left to kill.
            Thread.currentThread().interrupt();
        } catch (RuntimeException failure) {
            progress.fail(failure);
        }
    }

    private static void kill(Kills.Kill next, Fleet fleet, @Nullable ShopBroker broker) throws InterruptedException {
        switch (next.victim()) {
            case SHOP -> fleet.kill(Role.SHOP, next.pick());
            case BILLING -> fleet.kill(Role.BILLING, next.pick());
            case RELAY -> fleet.kill(Role.RELAY, next.pick());
            case BROKER -> {
                if (broker != null) {
                    broker.kill();
                }
            }
        }
    }
}
