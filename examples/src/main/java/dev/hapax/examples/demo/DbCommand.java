package dev.hapax.examples.demo;

import dev.hapax.examples.stage.ShopBroker;
import dev.hapax.examples.stage.ShopDatabase;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ./hapax db}. */
@Command(
        name = "db",
        description = {
            "Starts the database that ./hapax demo --data DIR has kept, and the broker if there was one, and runs until it is interrupted.",
            "The first line is the JDBC URL, alone; the second how to connect with psql; the third, if there is a broker, is for --kafka. The superuser has no password; only this machine can connect.",
            ""
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "2:bad options",
            "3:there is no database in DIR, or another process has it open",
            "130:interrupted, which is how it ends"
        })
public final class DbCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--data", paramLabel = "DIR", required = true, description = "where a demo has kept its database")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path data;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "show this page")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    /**
     * Runs until the process is interrupted; the server stops with it.
     *
     * @return never
     * @throws InterruptedException if this thread is interrupted
     */
    @Override
    public Integer call() throws InterruptedException {
        try (EmbeddedDatabase server = ShopDatabase.kept(data);
                EmbeddedKafka broker = ShopBroker.kept(data)) {
            PrintWriter out = spec.commandLine().getOut();
            out.println(server.jdbcUrl());
            out.println("psql -h 127.0.0.1 -p " + server.port() + " -U " + server.user() + " -d "
                    + server.database().name());
            if (broker != null) {
                out.println("kafka " + broker.bootstrapServers());
            }
            out.flush();
            new CountDownLatch(1).await();
            return 0;
        }
    }
}
