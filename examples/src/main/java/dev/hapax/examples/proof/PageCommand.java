package dev.hapax.examples.proof;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
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
    @Option(names = "--crash-points", paramLabel = "FILE", required = true)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path crashPoints;

    @Option(names = "--mutants", paramLabel = "FILE", required = true)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path mutants;

    @Option(names = "--to", paramLabel = "FILE", required = true)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path page;

    private static final String HEAD = """
            # Proof

            What `./hapax proof crash-points --full` and `./hapax proof mutants` found when they were last run in full; written by `./hapax proof page`. [Prove your handler](../guides/prove-your-handler.md) says what
            the words mean, and how to do the same with a handler of your own.

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
        JsonNode points = json.readTree(Files.readString(crashPoints));
        JsonNode caught = json.readTree(Files.readString(mutants));
        StringBuilder text = new StringBuilder(HEAD);
        text.append("## Crash points\n\n");
        text.append(
                "%,d points, %,d runs with a fault, %,d schedules of two processes, %d violations, %d points never reached; %d minutes on 2 busy cores.%n%n"
                        .formatted(
                                points.get("points").asInt(),
                                points.get("runs").asInt(),
                                points.get("schedules").asInt(),
                                points.get("violations").asInt(),
                                points.get("unreached").size(),
                                Math.round(points.get("seconds").asDouble() / 60)));
        text.append(
                "| scenario | points | dies | fails once | fails for good | lost, not committed | lost, committed | paused | schedules | violations |\n|---|---|---|---|---|---|---|---|---|---|\n");
        for (JsonNode scenario : points.get("scenarios")) {
            text.append("| `").append(scenario.get("scenario").asString()).append("` | ");
            text.append(scenario.get("points").asInt());
            scenario.get("modes").forEach(runs -> text.append(" | ").append(runs.asInt()));
            text.append(" | ").append(scenario.get("schedules").asInt());
            text.append(" | ").append(scenario.get("violations").asInt()).append(" |\n");
        }
        text.append("\n## Mutants\n\n");
        text.append(
                "%d wrong implementations, %d caught. Each is made without a hook in Hapax, by other SQL or commits elsewhere; a build in which one is not caught fails.%n%n"
                        .formatted(
                                caught.get("mutants").asInt(),
                                caught.get("caught").asInt()));
        text.append("| mutant | caught by |\n|---|---|\n");
        caught.get("by")
                .properties()
                .forEach(one -> text.append("| ")
                        .append(one.getKey())
                        .append(" | ")
                        .append(one.getValue().asString())
                        .append(" |\n"));
        Files.writeString(page, text);
        return 0;
    }
}
