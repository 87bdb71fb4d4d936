package dev.hapax.examples.proof;

import dev.hapax.testkit.catalog.Catalog;
import dev.hapax.testkit.proof.Invariants;
import dev.hapax.testkit.proof.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.ToIntFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code ./hapax proof page}: writes {@code docs/reference/proof.md} from the numbers of a full run. */
@Command(
        name = "page",
        hidden = true,
        description = "Writes the page of the manual that holds the numbers of a full run.")
public final class PageCommand implements Callable<Integer> {
    @Option(
            names = "--crash-points",
            paramLabel = "FILE",
            required = true,
            description = "once for each part of the run")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private List<Path> crashPoints;

    @Option(names = "--mutants", paramLabel = "FILE", required = true)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path mutants;

    @Option(names = "--to", paramLabel = "FILE", required = true)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path page;

    private static final String HEAD = """
            # Proof

            What was found when all of it was last run:

            ```
            ./hapax proof crash-points --full --json points.json
            ./hapax proof mutants --full --json mutants.json
            ./hapax proof page --crash-points points.json --mutants mutants.json --to docs/reference/proof.md
            ```

            The last of these writes this page. The first may be run in parts (`--scenario NAME`), of which it takes the last run each; minutes are those of the clock, beside whatever else the machine does. [Prove your handler](../guides/prove-your-handler.md) says what the words mean, and how to do the same with a handler of your own. A part of it runs with each build.

            """;

    private static final String POINTS_TABLE = """
            | scenario | points | only under fault | dies | fails once | fails for good | lost, not committed | lost, committed | paused | schedules | violations |
            |---|---|---|---|---|---|---|---|---|---|---|
            """;

    private static final String INERT = """

            A run dies, is refused or loses its connection at one point, or at several, one behind the other; then new processes recover, the rows are counted, all operations come once more, and the rows are counted again. A point that is passed only under fault gets its own faults behind the one that led to it. A schedule lets two processes do the same work, one statement at a time, in an order that a seed decides. Real processes are JVMs of their own that halt at a point, or stand there until a SIGKILL.

            ## What it costs in production

            Nothing. The points lie in what the testkit wraps around a data source. Hapax itself has no hook, no flag and no call for them, so there is nothing to measure; a test of its architecture (`nothing_in_production_knows_of_crash_points`) keeps it so.
            """;

    /**
     * Writes the page.
     *
     * @return zero
     * @throws IOException if a file can't be read or written
     */
    @Override
    public Integer call() throws IOException {
        JsonMapper json = JsonMapper.builder().build();
        List<JsonNode> parts = new ArrayList<>();
        for (Path part : crashPoints) {
            parts.add(json.readTree(Files.readString(part)));
        }
        StringBuilder text = new StringBuilder(HEAD);
        crashPoints(parts, text);
        text.append(INERT);
        mutants(json.readTree(Files.readString(mutants)), text);
        Files.writeString(page, text);
        return 0;
    }

    private static void crashPoints(List<JsonNode> parts, StringBuilder text) {
        text.append("## Crash points\n\n");
        text.append(
                "%,d points (%,d of them passed only under fault), %,d runs with a fault, %,d schedules of two processes, %,d deaths of real processes, %,d violations, %,d points never reached; %,d minutes on 2 cores.\n\n"
                        .formatted(
                                sum(parts, part -> part.get("points").asInt()),
                                sum(parts, part -> part.get("underFault").asInt()),
                                sum(parts, part -> part.get("runs").asInt()),
                                sum(parts, part -> part.get("schedules").asInt()),
                                sum(parts, part -> part.get("deaths").asInt()),
                                sum(parts, part -> part.get("violations").asInt()),
                                sum(parts, part -> part.get("unreached").size()),
                                sum(parts, part -> part.get("seconds").asInt()) / 60));
        text.append(POINTS_TABLE);
        List<String> order = Catalog.scenarios().stream().map(Scenario::name).toList();
        for (JsonNode scenario : parts.stream()
                .flatMap(part -> part.get("scenarios").valueStream())
                .sorted(Comparator.comparingInt(
                        one -> order.indexOf(one.get("scenario").asString())))
                .toList()) {
            text.append("| `").append(scenario.get("scenario").asString()).append("` | ");
            text.append(scenario.get("points").asInt());
            text.append(" | ").append(scenario.get("underFault").asInt());
            scenario.get("modes").forEach(runs -> text.append(" | ").append(runs.asInt()));
            text.append(" | ").append(scenario.get("schedules").asInt());
            text.append(" | ").append(scenario.get("violations").asInt()).append(" |\n");
        }
    }

    private static void mutants(JsonNode caught, StringBuilder text) {
        text.append("\n## Mutants\n\n");
        text.append(
                "%d wrong implementations, %d caught. Each is made without a hook in Hapax, by other SQL or commits elsewhere; a build in which one is not caught fails. **Bold** is the invariant that is there for it.\n\n"
                        .formatted(
                                caught.get("mutants").asInt(),
                                caught.get("caught").asInt()));
        // Those that every scenario has, then those that single scenarios bring.
        Set<String> invariants = new LinkedHashSet<>(Invariants.ALL);
        caught.get("by")
                .properties()
                .forEach(one -> invariants.add(one.getValue().asString()));
        text.append("| mutant |");
        invariants.forEach(invariant -> text.append(' ').append(invariant).append(" |"));
        text.append("\n|---|").append("---|".repeat(invariants.size())).append('\n');
        caught.get("by").properties().forEach(one -> {
            String mutant = one.getKey();
            Set<String> all = new HashSet<>();
            caught.get("all").get(mutant).forEach(invariant -> all.add(invariant.asString()));
            text.append("| ").append(mutant).append(" |");
            for (String invariant : invariants) {
                boolean wanted = invariant.equals(one.getValue().asString());
                text.append(wanted ? " **caught** |" : all.contains(invariant) ? " caught |" : " |");
            }
            text.append('\n');
        });
    }

    private static int sum(List<JsonNode> parts, ToIntFunction<JsonNode> figure) {
        return parts.stream().mapToInt(figure).sum();
    }
}
