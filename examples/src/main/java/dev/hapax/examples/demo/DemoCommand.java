package dev.hapax.examples.demo;

import dev.hapax.examples.stage.BrokenOrdersException;
import dev.hapax.examples.stage.Load;
import dev.hapax.examples.stage.OrderFile;
import dev.hapax.examples.stage.ReportFile;
import dev.hapax.examples.stage.RunException;
import dev.hapax.examples.stage.Screen;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./hapax demo}. */
@Command(
        name = "demo",
        description = {
            "Sends real orders to shop and billing processes that are killed while they work, and counts in the rows of the database what took effect.",
            "Starts a PostgreSQL of its own (fsync on), shop processes (HTTP, a request per order line with an idempotency key) and billing processes"
                    + " (consumers of what the shop publishes, which have a bank charge each invoice and refund each cancellation). The client repeats a share of its requests: after time-outs, at once, much later, in parallel.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:exact: every order line took effect once, to the penny",
            "1:not exact; the differing keys are printed",
            "2:bad options, or a file of orders that is not well-formed; nothing was started",
            "3:the run could not be brought to its end"
        })
public final class DemoCommand implements Callable<Integer> {
    private static final int SEED_BOUND = 1_000_000;
    private static final Map<String, DemoPlan.Bank> BANKS = new TreeMap<>(
            Map.of("keyed", DemoPlan.Bank.KEYED, "asked", DemoPlan.Bank.ASKED, "none", DemoPlan.Bank.NONE));

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--orders",
            paramLabel = "FILE",
            description = "order lines as CSV, with the columns of the file that comes with the demo (the default)")
    private @Nullable Path orders;

    @Option(
            names = "--repeats",
            paramLabel = "SHARE",
            defaultValue = "0.3",
            description = "the share of lines that the client repeats, 0 to 1 (default: ${DEFAULT-VALUE})")
    private double repeats;

    @Option(
            names = "--kills",
            paramLabel = "N",
            defaultValue = "6",
            description =
                    "how many processes are killed (SIGKILL) while they work, 0 to 1000 (default: ${DEFAULT-VALUE})")
    private int kills;

    @Option(
            names = "--workers",
            paramLabel = "N",
            defaultValue = "2",
            description = "shop processes, and as many billing processes, 1 to 8 (default: ${DEFAULT-VALUE})")
    private int workers;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description =
                    "decides what is repeated how, and what is killed when (default: another one each time; it is printed)")
    private @Nullable Long seed;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "0",
            description = "lines a second, up to 100000; 0 is as fast as possible (default: ${DEFAULT-VALUE})")
    private int rate;

    @Option(
            names = "--bank",
            paramLabel = "KIND",
            defaultValue = "keyed",
            description =
                    "the bank that billing calls, a process of its own that is slow, fails, answers late and drops answers: keyed (two calls with one"
                            + " key book once), asked (it ignores keys and can be asked) or none (default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String bank;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "keep the database (and the run's own broker) there, in place of an earlier run's; see ./hapax db (default: a temporary folder, deleted at the end)")
    private @Nullable Path data;

    @Option(
            names = "--broker",
            paramLabel = "KIND",
            description =
                    "kafka: a relay process publishes what the shop writes to a Kafka broker that the demo starts, and billing reads it there; broker and relay are killed too,"
                            + " and the records on the topic are counted (default: none, billing reads the log in the database)")
    private @Nullable String broker;

    @Option(
            names = "--kafka",
            paramLabel = "HOST:PORT",
            description =
                    "as --broker kafka, with a Kafka that is there; it is not killed, and the topic that the demo creates there stays")
    private @Nullable String kafka;

    @Option(
            names = "--kafka-properties",
            paramLabel = "FILE",
            description = "properties of Kafka's clients, for TLS and SASL; with --kafka")
    private @Nullable Path kafkaProperties;

    @Option(names = "--report", paramLabel = "FILE", description = "write the result as JSON")
    private @Nullable Path report;

    @Option(
            names = "--naive",
            description = "the same processes without Hapax: nothing remembers a key, and billing acknowledges first")
    private boolean naive;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "show this page")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    /**
     * Runs it.
     *
     * @return the exit status
     * @throws InterruptedException if this thread is interrupted
     */
    @Override
    public Integer call() throws InterruptedException {
        check(repeats >= 0 && repeats <= 1, "--repeats is " + repeats + "; it must be 0 to 1");
        check(kills >= 0 && kills <= 1000, "--kills is " + kills + "; it must be 0 to 1000");
        check(workers >= 1 && workers <= 8, "--workers is " + workers + "; it must be 1 to 8");
        check(rate >= 0 && rate <= 100_000, "--rate is " + rate + "; it must be 0 to 100000");
        check(
                BANKS.containsKey(bank),
                "--bank is '" + bank + "'; it must be one of " + String.join(", ", BANKS.keySet()));
        Staging staging = new Staging(naive, data, between());
        checkReport();
        Load load = new Load(
                repeats, rate, seed != null ? seed : ThreadLocalRandom.current().nextInt(SEED_BOUND));
        DemoPlan plan =
                new DemoPlan(readOrders(), load, workers, kills, Objects.requireNonNull(BANKS.get(bank)), staging);
        Screen screen = new Screen(spec.commandLine().getOut(), Boolean.getBoolean("hapax.terminal"));
        DemoResult result = new Demo(plan, screen).run();
        screen.line("");
        Report.table(result).forEach(screen::line);
        writeReport(result);
        return result.isExact() ? 0 : 1;
    }

    private Staging.Between between() {
        check(broker == null || broker.equals("kafka"), "--broker is " + broker + "; it must be kafka");
        check(kafkaProperties == null || kafka != null, "--kafka-properties needs --kafka HOST:PORT");
        check(
                kafkaProperties == null || Files.isReadable(kafkaProperties),
                "--kafka-properties " + kafkaProperties + " can't be read");
        check(
                kafka == null || kafka.matches("[^\\s,]+:\\d{1,5}(,[^\\s,]+:\\d{1,5})*"),
                "--kafka is " + kafka + "; it must be HOST:PORT, several separated by commas");
        if (broker == null && kafka == null) {
            return new Staging.Between.Log();
        }
        check(!naive, "--naive has no broker; leave out --naive, or the broker");
        return kafka == null ? new Staging.Between.OwnKafka() : new Staging.Between.Kafka(kafka, kafkaProperties);
    }

    private OrderFile readOrders() {
        if (orders == null) {
            return OrderFile.bundled();
        }
        try {
            return OrderFile.read(orders);
        } catch (BrokenOrdersException broken) {
            throw new ParameterException(spec.commandLine(), orders + ", " + broken.getMessage(), broken);
        } catch (IOException failure) {
            throw refusal("--orders " + orders + " can't be read: " + reason(failure));
        }
    }

    private void checkReport() {
        if (report != null) {
            ReportFile.problem(report).ifPresent(problem -> {
                throw refusal(problem);
            });
        }
    }

    private void writeReport(DemoResult result) {
        if (report == null) {
            return;
        }
        try {
            Report.write(result, report);
        } catch (IOException failure) {
            throw new RunException("the report could not be written: " + reason(failure), failure);
        }
    }

    private static String reason(IOException failure) {
        return failure instanceof NoSuchFileException ? "there is no such file" : failure.toString();
    }

    private void check(boolean allowed, String otherwise) {
        if (!allowed) {
            throw refusal(otherwise);
        }
    }

    private ParameterException refusal(String why) {
        return new ParameterException(spec.commandLine(), why);
    }
}
