package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.ReportFile;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where the two reports go, side by side.
 *
 * @param html a page for people
 * @param json the same for programs
 */
record ReportFiles(Path html, Path json) {
    private static final String HTML = ".html";
    private static final String JSON = ".json";

    /** Whichever of the two is named, the other lies beside it. */
    static ReportFiles of(Path file) {
        String name = file.getFileName().toString();
        String stem = name.endsWith(HTML) || name.endsWith(JSON) ? name.substring(0, name.length() - 5) : name;
        return new ReportFiles(file.resolveSibling(stem + HTML), file.resolveSibling(stem + JSON));
    }

    Optional<String> problem() {
        return Stream.of(html, json)
                .flatMap(file -> ReportFile.problem(file).stream())
                .findFirst();
    }
}
