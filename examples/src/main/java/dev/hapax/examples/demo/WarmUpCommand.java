package dev.hapax.examples.demo;

import dev.hapax.examples.shop.BillingWorker;
import dev.hapax.examples.shop.ShopServer;
import dev.hapax.examples.shop.Worker;
import dev.hapax.examples.stage.Audit;
import dev.hapax.examples.stage.Chance;
import dev.hapax.examples.stage.Load;
import dev.hapax.examples.stage.OrderClient;
import dev.hapax.examples.stage.OrderFile;
import dev.hapax.examples.stage.Progress;
import dev.hapax.examples.stage.Screen;
import dev.hapax.examples.stage.ShopDatabase;
import dev.hapax.examples.stage.StatusLine;
import dev.hapax.examples.stage.Tally;
import dev.hapax.examples.stage.Traffic;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;

/**
 * A very small demo in this one process, for the launcher: the JVM records which classes a run needs, and keeps them ready for the demo and all its
 * processes.
 */
@Command(name = "warm-up", description = "A very small demo in one process, from which the JVM learns.", hidden = true)
public final class WarmUpCommand implements Callable<Integer> {
    private static final int LINES = 40;
    private static final long LOOK_MILLIS = 20;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    /**
     * Runs it.
     *
     * @return 0 if each line took effect once
     * @throws IOException if no port can be had
     * @throws SQLException if the database can't be asked
     * @throws InterruptedException if this thread is interrupted
     */
    @Override
    public Integer call() throws IOException, SQLException, InterruptedException {
        DemoPlan plan = new DemoPlan(
                OrderFile.bundled().first(LINES), new Load(0.5, 0, 1), 1, 0, DemoPlan.Bank.NONE, Staging.PLAIN);
        Screen screen = new Screen(new PrintWriter(PrintWriter.nullWriter()), true);
        Tally tally = new Tally(plan.lines());
        try (ShopDatabase database = ShopDatabase.fresh(null, false);
                ShopServer shop = new ShopServer(worker(database));
                BillingWorker billing = new BillingWorker(worker(database));
                Connection connection = database.connect()) {
            send(plan, shop.address(), tally, screen);
            long deadline = System.nanoTime() + PATIENCE_NANOS;
            while (database.waiting(connection) > 0 && System.nanoTime() - deadline < 0) {
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            }
            DemoResult result = new DemoResult(
                    plan.orders(),
                    Audit.of(connection, plan.orders(), plan.lines()),
                    DemoResult.Elsewhere.NOTHING,
                    tally,
                    0,
                    1);
            Report.table(result).forEach(screen::line);
            return result.isExact() ? 0 : 1;
        }
    }

    private static Worker worker(ShopDatabase database) {
        return new Worker(database.jdbcUrl(), false, Duration.ZERO, null, null);
    }

    private static void send(DemoPlan plan, URI shop, Tally tally, Screen screen) throws InterruptedException {
        Chance chance = new Chance(plan.lines(), plan.load(), System.currentTimeMillis());
        Progress progress = new Progress(new int[0], plan.lines());
        try (StatusLine status = new StatusLine(screen, tally, progress, () -> "");
                OrderClient client = new OrderClient(plan.orders(), chance, pick -> shop, tally, progress)) {
            new Traffic(client, chance, progress, plan.lines(), plan.load().rate()).send();
        }
    }
}
