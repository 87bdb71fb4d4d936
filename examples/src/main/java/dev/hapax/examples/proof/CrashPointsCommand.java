package dev.hapax.examples.proof;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.catalog.Catalog;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.RealDeaths;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Trial;
import dev.hapax.testkit.proof.Variation;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./hapax proof crash-points}. */
@Command(
        name = "crash-points",
        description = {
            "Runs each scenario dying, failing and losing its connection at point 1, 2, 3 and so on, until no point is left; after each run it recovers, and rows are counted.",
            "Without --full, points that repeat each other are left out, and there are no variations and no pairs.",
            ""
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:proven", "1:an invariant was violated, or a point was not met", "2:bad options"})
public final class CrashPointsCommand implements Callable<Integer> {
    private static final int PAIRS = 120;
    private static final int SAMPLES = 60;
    private static final int SCHEDULES = 50;
    private static final int DEATHS = 4;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--full",
            description =
                    "every point, all variations, pairs of faults, two processes at once, real processes that halt or are killed")
    private boolean full;

    @Option(names = "--scenario", paramLabel = "NAME", description = "only scenarios whose name begins so")
    private String only = "";

    @Option(names = "--trial", paramLabel = "RUN", description = "exactly one run, as a report prints it")
    private @Nullable String trial;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "what decides all that is drawn (default: ${DEFAULT-VALUE})")
    private long seed = 1;

    @Option(names = "--threads", paramLabel = "N", description = "runs at once (default: one for each processor)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--json", paramLabel = "FILE", description = "write the numbers there as well")
    private @Nullable Path json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "show this page")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    /**
     * Explores, and says what was found.
     *
     * @return the exit status
     * @throws Exception if a run can't be made, or the JSON file can't be written
     */
    @Override
    public Integer call() throws Exception {
        ProofCommand.keepLogsQuiet();
        PrintWriter out = spec.commandLine().getOut();
        long since = System.nanoTime();
        try (EmbeddedDatabase server = EmbeddedDatabase.builder().inMemory().start()) {
            CrashPoints points = new CrashPoints(server).seed(seed).threads(threads);
            List<ProofReport> reports = new ArrayList<>();
            List<ProofReport> processes = new ArrayList<>();
            for (Scenario<?> scenario : chosen()) {
                ProofReport report =
                        trial == null ? settings(points).explore(scenario) : points.rerun(scenario, Trial.parse(trial));
                reports.add(report);
                out.println(
                        report.isProven() ? report.summary() : report.describe("./hapax proof crash-points --trial "));
                out.flush();
                if (full && !scenario.isBoundToThisProcess()) {
                    processes.add(realDeaths(server, scenario, out));
                }
            }
            Duration time = Duration.ofNanos(System.nanoTime() - since);
            Figures figures = new Figures(reports, processes, time);
            out.println(figures.summary());
            if (json != null) {
                figures.write(json);
            }
            return figures.isProven() ? 0 : 1;
        }
    }

    private ProofReport realDeaths(EmbeddedDatabase server, Scenario<?> scenario, PrintWriter out) throws Exception {
        ProofReport report = new RealDeaths(server, ProofProcess.class, seed).explore(scenario, DEATHS);
        if (!report.isProven()) {
            out.println("real processes: " + report.describe("a real process: "));
            out.flush();
        }
        return report;
    }

    private CrashPoints settings(CrashPoints points) {
        return full
                ? points.variations(EnumSet.allOf(Variation.class), SAMPLES)
                        .pairs(PAIRS)
                        .schedules(SCHEDULES)
                : points.withoutLikes();
    }

    private List<Scenario<?>> chosen() {
        String name = trial == null ? only : Trial.parse(trial).scenario();
        List<Scenario<?>> chosen = Catalog.scenarios().stream()
                .filter(scenario -> trial == null
                        ? scenario.name().startsWith(name)
                        : scenario.name().equals(name))
                .toList();
        if (chosen.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(),
                    String.format(
                            Locale.ROOT,
                            "there is no scenario %s; there are %s",
                            name,
                            Catalog.scenarios().stream().map(Scenario::name).toList()));
        }
        return chosen;
    }
}
