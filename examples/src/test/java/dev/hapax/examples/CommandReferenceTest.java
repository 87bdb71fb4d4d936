package dev.hapax.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The reference page is the commands' own help. After a change of a command,
 * {@code ./hapax test -pl examples -am -Dtest=CommandReferenceTest -Dhapax.test.args=-Dhapax.writeReference=true} writes it anew.
 */
class CommandReferenceTest {
    private static final Path PAGE =
            Path.of(System.getProperty("hapax.root"), "docs", "reference", "demonstrations.md");

    private static final String HEAD = """
            # Commands that show Hapax at work

            Each is `./hapax COMMAND`, and each has `--help`: this page is what they say. They need nothing that runs: they bring their own PostgreSQL. What a game day shows stands in
            [Game day](../guides/game-day.md).
            """;

    private static final List<String> COMMANDS =
            List.of("demo", "gameday", "db", "proof crash-points", "proof mutants");

    @Test
    void the_reference_page_is_what_the_commands_say() throws IOException {
        StringBuilder page = new StringBuilder(HEAD);
        for (String command : COMMANDS) {
            CommandRun run = CommandRun.of((command + " --help").split(" "));
            assertThat(run.status()).as(command).isZero();
            page.append("\n## ")
                    .append(command)
                    .append("\n\n```text\n")
                    .append(run.out().stripTrailing())
                    .append("\n```\n");
        }
        String all = page.toString().replaceAll("(?m) +$", "");
        if (Boolean.getBoolean("hapax.writeReference")) {
            Files.writeString(PAGE, all);
        }

        assertThat(Files.readString(PAGE)).isEqualTo(all);
    }
}
