package dev.hapax.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The benchmarks. */
@Command(
        name = "hapax bench",
        description = "Measures Hapax beside hand-written SQL on a database of its own, and checks its own rows.",
        footer = {
            "",
            "'list' names the benchmarks. Exit status: 0 all targets met, 1 the rows were wrong or the run failed, 3 a target missed."
        },
        mixinStandardHelpOptions = true)
public final class Main implements java.util.concurrent.Callable<Integer> {

    private static final int FAILED = 1;
    private static final int MISSED = 3;

    @Parameters(paramLabel = "NAME", description = "A benchmark's name, or 'list'.")
    private String name = "";

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there as well.")
    private @Nullable Path json;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            description = "How often each side is measured, 1 to 100. Default: 7.")
    private int rounds;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "How long each side works in a round, 0.1 to 600. Default: 4.")
    private double seconds;

    @Option(names = "--quick", description = "Only sees that it works: small tables, short rounds, nothing is judged.")
    private boolean quick;

    @Option(
            names = "--hold",
            paramLabel = "DURATION",
            description = "How long flat-open-transaction keeps a transaction open, such as PT10M. Default: PT1M.")
    private Duration hold = Duration.ofMinutes(1);

    private Main() {}

    /**
     * Runs one command and exits with its status.
     *
     * @param args the command and its options
     */
    public static void main(String[] args) {
        System.exit(execute(args));
    }

    /** Runs one command and returns its status. */
    static int execute(String... args) {
        return new CommandLine(new Main()).execute(args);
    }

    @Override
    public Integer call() throws Exception {
        if (name.equals("list")) {
            Catalog.ALL.forEach(benchmark -> System.out.printf("%-24s %s%n", benchmark.name(), benchmark.about()));
            return 0;
        }
        Benchmark benchmark = Catalog.find(name);
        if (benchmark == null) {
            System.err.println("there is no benchmark '" + name + "'; ./hapax bench list names them");
            return CommandLine.ExitCode.USAGE;
        }
        Plan plan = plan();
        Report report = new Report(System.out, !plan.quick());
        try {
            report.title(benchmark, plan);
            benchmark.run(plan, report);
        } catch (WrongRows e) {
            System.err.println("the run is void: " + e.getMessage());
            return FAILED;
        }
        write(report, benchmark);
        return report.isMissed() ? MISSED : 0;
    }

    private Plan plan() {
        int howOften = rounds > 0 ? rounds : quick ? 2 : 7;
        double howLong = seconds > 0 ? seconds : quick ? 0.2 : 4;
        if (howOften > 100 || howLong < 0.1 || howLong > 600 || hold.isNegative() || hold.toHours() >= 1) {
            throw new IllegalArgumentException(
                    "allowed are --rounds 1 to 100, --seconds 0.1 to 600, --hold up to an hour");
        }
        return new Plan(howOften, howLong, quick, quick ? Duration.ofMillis(500) : hold);
    }

    private void write(Report report, Benchmark benchmark) throws IOException {
        if (json != null) {
            JsonMapper mapper = JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .build();
            Files.writeString(json, mapper.writeValueAsString(report.toMap(benchmark)) + "\n");
        }
    }
}
