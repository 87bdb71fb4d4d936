package dev.hapax.examples.proof;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.catalog.Mutant;
import dev.hapax.testkit.catalog.Mutants;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ./hapax proof mutants}. */
@Command(
        name = "mutants",
        description = {
            "Makes Hapax wrong, in one way after another, and sees whether the invariant that is there for it catches it: an invariant that catches nothing proves nothing.",
            ""
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:all were caught", "1:one was not", "2:bad options"})
public final class MutantsCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--full", description = "do not end at the first violation: find every invariant that catches it")
    private boolean full;

    @Option(names = "--json", paramLabel = "FILE", description = "write the numbers there as well")
    private @Nullable Path json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "show this page")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    /**
     * Runs the mutants.
     *
     * @return the exit status
     * @throws IOException if the JSON file can't be written
     */
    @Override
    public Integer call() throws IOException {
        ProofCommand.keepLogsQuiet();
        PrintWriter out = spec.commandLine().getOut();
        Map<String, String> by = new LinkedHashMap<>();
        Map<String, Set<String>> all = new LinkedHashMap<>();
        List<Mutant> mutants = Mutants.all();
        try (EmbeddedDatabase server = EmbeddedDatabase.builder().inMemory().start()) {
            for (Mutant mutant : mutants) {
                Mutant.Verdict verdict = full ? mutant.runWhole(server) : mutant.run(server);
                out.printf(
                        "%-40s %s%n",
                        mutant.name(),
                        verdict.isCaught() ? "caught: " + mutant.invariant() : "NOT CAUGHT " + verdict.found());
                out.flush();
                all.put(mutant.name(), verdict.found());
                if (verdict.isCaught()) {
                    by.put(mutant.name(), mutant.invariant());
                }
            }
        }
        out.println(by.size() + " of " + mutants.size() + " mutants are caught");
        if (json != null) {
            Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("mutants", mutants.size());
            figures.put("caught", by.size());
            figures.put("by", by);
            figures.put("all", all);
            Figures.write(json, figures);
        }
        return by.size() == mutants.size() ? 0 : 1;
    }
}
