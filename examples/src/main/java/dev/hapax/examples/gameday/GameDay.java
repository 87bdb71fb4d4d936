package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Audit;
import dev.hapax.examples.stage.Backlog;
import dev.hapax.examples.stage.Chance;
import dev.hapax.examples.stage.Fleet;
import dev.hapax.examples.stage.OrderBook;
import dev.hapax.examples.stage.OrderClient;
import dev.hapax.examples.stage.OrderFile;
import dev.hapax.examples.stage.OrderPasses;
import dev.hapax.examples.stage.Progress;
import dev.hapax.examples.stage.RunException;
import dev.hapax.examples.stage.Screen;
import dev.hapax.examples.stage.ShopDatabase;
import dev.hapax.examples.stage.StatusLine;
import dev.hapax.examples.stage.Tally;
import dev.hapax.examples.stage.Traffic;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.LimitedDisk;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * One run: starts the demo's system behind a network that can fail, orders at a steady rate, lets one fault after another happen, waits until all is quiet, ends the processes in order, and only
 * then counts the rows.
 *
 * <p>Used once, by one thread.
 */
final class GameDay {
    /** Few enough to be taken away, enough for all processes and a few to look on. */
    private static final int CONNECTIONS = 60;

    /** Shorter than a process stands still, so that what it held is taken from it. */
    private static final String IDLE_TIMEOUT = "2s";

    private static final int DISK_MEBIBYTES = 8_192;

    private final GameDayPlan plan;
    private final Screen screen;
    private final Schedule schedule;
    private final OrderBook orders;
    private final Tally tally;
    private final Chance chance;
    private final Progress progress;
    private List<Incident> incidents = List.of();
    private List<Meter.Sample> samples = List.of();
    private long startNanos;
    private int begun;

    GameDay(GameDayPlan plan, Screen screen) {
        this.plan = plan;
        this.screen = screen;
        this.schedule = Schedule.draw(plan.kinds(), plan.time(), plan.load().seed());
        this.orders =
                new OrderPasses(OrderFile.bundled(), plan.lines(), plan.load().seed());
        this.tally = new Tally(plan.lines());
        this.chance = new Chance(plan.lines(), plan.load(), Instant.now().toEpochMilli());
        this.progress = new Progress(new int[0], plan.lines());
    }

    /**
     * Runs it.
     *
     * @throws RunException if the run can't be brought to its end
     * @throws InterruptedException if this thread is interrupted; nothing is left running
     */
    GameDayResult run() throws InterruptedException {
        sayWhat();
        if (!plan.kinds().contains(FaultKind.DISK_FULL)) {
            return run(null);
        }
        try (LimitedDisk disk = LimitedDisk.open(DISK_MEBIBYTES)) {
            return run(disk);
        }
    }

    private void sayWhat() {
        screen.line(String.format(
                Locale.ROOT,
                "%s of %,d orders a second to %d shop and %d billing processes%s, %.0f %% of them repeated; %d faults of %d kinds; seed %d",
                GameDayReport.time(plan.time()),
                plan.load().rate(),
                plan.workers(),
                plan.workers(),
                plan.naive() ? " without Hapax" : "",
                plan.load().repeats() * 100,
                schedule.faults().size(),
                plan.kinds().size(),
                plan.load().seed()));
    }

    private GameDayResult run(@Nullable LimitedDisk disk) throws InterruptedException {
        Path data = disk == null ? plan.data() : disk.directory().resolve("database");
        try (ShopDatabase database = ShopDatabase.fresh(data, plan.naive(), GameDay::settings)) {
            work(database, disk);
            if (plan.data() != null) {
                database.bringBack();
            }
            try (Connection connection = database.connect()) {
                Audit audit = Audit.of(connection, orders, begun);
                return new GameDayResult(
                        plan, orders, audit, tally, incidents, new Course(startNanos, begun, samples, tally));
            }
        } catch (SQLException failure) {
            throw new RunException("the rows could not be counted: " + failure.getMessage(), failure);
        }
    }

    private static EmbeddedDatabase.Builder settings(EmbeddedDatabase.Builder builder) {
        return builder.maxConnections(CONNECTIONS).setting("idle_in_transaction_session_timeout", IDLE_TIMEOUT);
    }

    private void work(ShopDatabase database, @Nullable LimitedDisk disk) throws InterruptedException {
        try (Network network = new Network(database);
                Fleet fleet = new Fleet(network::jdbcUrl, plan.naive(), screen::line)) {
            Runtime.getRuntime().addShutdownHook(new Thread(fleet::noMore, "no-more"));
            if (plan.data() != null) {
                fleet.keepOutput(plan.data().resolve("logs"));
            }
            fleet.start(plan.workers());
            fleet.awaitAll();
            try (OrderClient client = new OrderClient(orders, chance, fleet::shop, tally, progress);
                    Meter meter = new Meter(progress, database)) {
                startNanos = System.nanoTime();
                Traffic traffic = new Traffic(
                        client, chance, progress, orders.size(), plan.load().rate());
                Site site = new Site(database, network, fleet, new Customer(client, traffic, tally), disk);
                send(traffic, new Faults(plan, site, progress, meter, startNanos));
                Backlog.await(database, null, fleet, screen::line);
                samples = meter.samples();
            }
        }
    }

    private void send(Traffic traffic, Faults faults) throws InterruptedException {
        FutureTask<Integer> sending = new FutureTask<>(traffic::send);
        Thread sender = Thread.ofPlatform().daemon().name("traffic").start(sending);
        try (StatusLine status = new StatusLine(screen, tally, progress, faults::state)) {
            incidents = faults.run(schedule);
            traffic.stop();
            begun = sending.get();
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof RuntimeException own
                    ? own
                    : new RunException("sending failed: " + failed.getCause(), failed);
        } finally {
            sender.interrupt();
            sender.join();
        }
    }
}
