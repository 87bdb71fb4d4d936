package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Load;
import dev.hapax.examples.stage.RunException;
import dev.hapax.examples.stage.Screen;
import dev.hapax.testkit.LimitedDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./hapax gameday}. */
@Command(
        name = "gameday",
        description = {
            "Runs the demo's shop at a steady rate while one fault after another happens to its processes, its network and its database, and counts in the rows what took effect.",
            "Faults are drawn from the seed; each kind comes once before any comes again, and none before the one before it has been got over. The client repeats a share of its requests, and"
                    + " asks again for whatever it has not heard of.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:exact: every order line took effect once, to the penny, and every fault was got over",
            "1:not exact; the differing keys are printed, and the seed",
            "2:bad options; nothing was started",
            "3:the run could not be brought to its end"
        })
public final class GameDayCommand implements Callable<Integer> {
    private static final int SEED_BOUND = 1_000_000;
    private static final double MINUTES_MIN = 0.25;
    private static final double MINUTES_MAX = 1_440;
    private static final int LINES_MAX = 1_000_000;
    private static final int WORKERS = 2;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--minutes",
            paramLabel = "N",
            defaultValue = "2",
            description = "how long fresh orders come in, 0.25 to 1440 (default: ${DEFAULT-VALUE})")
    private double minutes;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description =
                    "decides which faults happen when and hit whom, and what is repeated how (default: another one each time; it is printed)")
    private @Nullable Long seed;

    @Option(
            names = "--faults",
            paramLabel = "LIST",
            defaultValue = "all",
            completionCandidates = Names.class,
            description =
                    "all; list, to print what each is; or some of them, with commas between: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    private String faults = "";

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "100",
            description =
                    "fresh order lines a second, 1 to 10000 (default: ${DEFAULT-VALUE}, which two cores hold easily)")
    private int rate;

    @Option(
            names = "--repeats",
            paramLabel = "SHARE",
            defaultValue = "0.3",
            description = "the share of lines that the client repeats, 0 to 1 (default: ${DEFAULT-VALUE})")
    private double repeats;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "write a page with plots to FILE.html, and the same for programs to FILE.json beside it")
    private @Nullable Path report;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "keep the database and all logs there, in place of an earlier run's; see ./hapax db (default: a temporary folder, deleted at the end)")
    private @Nullable Path data;

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

    /** For the help. */
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(FaultKind.values()).map(FaultKind::flag).iterator();
        }
    }

    /**
     * Runs it.
     *
     * @return the exit status
     * @throws InterruptedException if this thread is interrupted
     */
    @Override
    public Integer call() throws InterruptedException {
        Screen screen = new Screen(spec.commandLine().getOut(), Boolean.getBoolean("hapax.terminal"));
        if (faults.equals("list")) {
            for (FaultKind kind : FaultKind.values()) {
                screen.line(String.format(Locale.ROOT, "%-20s %s", kind.flag(), kind.sentence()));
            }
            return 0;
        }
        checkNumbers();
        Optional<ReportFiles> files = Optional.ofNullable(report).map(ReportFiles::of);
        files.flatMap(ReportFiles::problem).ifPresent(problem -> {
            throw refusal(problem);
        });
        List<FaultKind> kinds = kinds(screen);
        long chosen = seed != null ? seed : ThreadLocalRandom.current().nextInt(SEED_BOUND);
        GameDayPlan plan = new GameDayPlan(time(), new Load(repeats, rate, chosen), kinds, WORKERS, naive, data);
        GameDayResult result = new GameDay(plan, screen).run();
        screen.line("");
        GameDayReport.table(result).forEach(screen::line);
        files.ifPresent(places -> write(result, places, screen));
        return result.isExact() ? 0 : 1;
    }

    private Duration time() {
        return Duration.ofMillis(Math.round(minutes * 60_000));
    }

    private void checkNumbers() {
        check(
                minutes >= MINUTES_MIN && minutes <= MINUTES_MAX,
                "--minutes is " + minutes + "; it must be 0.25 to 1440");
        check(rate >= 1 && rate <= 10_000, "--rate is " + rate + "; it must be 1 to 10000");
        check(repeats >= 0 && repeats <= 1, "--repeats is " + repeats + "; it must be 0 to 1");
        long lines = GameDayPlan.lines(time(), rate);
        check(
                lines <= LINES_MAX,
                String.format(
                        Locale.ROOT,
                        "--minutes %s at --rate %d are up to %,d order lines; there must be no more than %,d",
                        minutes,
                        rate,
                        lines,
                        LINES_MAX));
    }

    /** What the machine can't do is left out and said; what was asked for by name and can't be done is refused. */
    private List<FaultKind> kinds(Screen screen) {
        if (!faults.equals("all")) {
            List<FaultKind> kinds = Arrays.stream(faults.split(",", -1))
                    .map(this::kind)
                    .distinct()
                    .toList();
            if (kinds.contains(FaultKind.DISK_FULL)) {
                noDisk().ifPresent(problem -> {
                    throw refusal("--faults disk-full: " + problem);
                });
            }
            return kinds;
        }
        List<FaultKind> kinds = new ArrayList<>(List.of(FaultKind.values()));
        noDisk().ifPresent(problem -> {
            kinds.remove(FaultKind.DISK_FULL);
            screen.line("without disk-full: " + problem);
        });
        return kinds;
    }

    private FaultKind kind(String name) {
        return FaultKind.named(name.strip())
                .orElseThrow(() -> refusal("--faults: there is no fault '" + name + "'; --faults list prints them"));
    }

    private Optional<String> noDisk() {
        return data != null
                ? Optional.of("it needs a file system of its own for the data, and --data says where they are")
                : LimitedDisk.problem();
    }

    private void write(GameDayResult result, ReportFiles files, Screen screen) {
        try {
            GameDayReport.write(result, files);
            screen.line("report: " + files.html() + ", " + files.json());
        } catch (IOException failure) {
            throw new RunException("the report could not be written: " + failure.getMessage(), failure);
        }
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
