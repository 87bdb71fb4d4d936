package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/**
 * The reference page is the commands' own help. After a change of a command, {@code ./hapax test -pl server -am -Dtest=CommandReferenceTest -Dhapax.test.args=-Dhapax.writeReference=true}
 * writes it anew.
 */
class CommandReferenceTest {

    private static final Path PAGE = Path.of(System.getProperty("hapax.root"), "docs", "reference", "commands.md");
    private static final Path GUIDE = PAGE.resolveSibling(Path.of("..", "guides", "operate.md"));

    private static final String HEAD = """
            # Commands of operators

            Each is `./hapax COMMAND`, and each has `--help`: this page is what they say. How to work with them stands in [Operating](../guides/operate.md).

            **The database** is given by `--url`, or `HAPAX_URL` in the environment; the role by `--user`, `HAPAX_USER` or the URL; its password by `--password-file`, `HAPAX_PASSWORD` or
            `~/.pgpass`, never as an argument that every user of the machine can read. Passwords in a URL are masked in messages.

            **The exit status** is 0 if it was done, 1 if a problem was found or nothing could be done, 2 if the command line is wrong or a step that can't be undone lacks its --yes, 3 if the database can't be reached. Answers go to the
            standard output, problems to the standard error.

            **`--json`** prints the same facts for programs: lists as an array with a row per line, times in seconds or as UTC instants, sizes in bytes, `null` for what isn't there.
            """;

    @Test
    void the_reference_page_is_what_the_commands_say() throws IOException {
        String page = page();
        if (Boolean.getBoolean("hapax.writeReference")) {
            Files.createDirectories(PAGE.getParent());
            Files.writeString(PAGE, page);
        }

        assertThat(Files.readString(PAGE)).isEqualTo(page);
    }

    @Test
    void every_command_says_what_it_does_and_has_an_example_that_parses() {
        for (CommandLine command : commands()) {
            String usage = command.getUsageMessage(Ansi.OFF);
            assertThat(command.getCommandSpec().usageMessage().description()).isNotEmpty();
            List<String> examples =
                    usage.lines().filter(line -> line.startsWith("  ./hapax ")).toList();
            assertThat(examples).as(usage).isNotEmpty();
            examples.forEach(CommandReferenceTest::parses);
        }
    }

    @Test
    void the_launcher_runs_and_lists_every_command() throws IOException {
        String launcher = Files.readString(Path.of(System.getProperty("hapax.root"), "hapax"));
        for (String name : Commands.commandLine(Map.of()).getSubcommands().keySet()) {
            assertThat(launcher)
                    .containsPattern("(?m)^  (\\w+ \\| )*" + name + "( \\| \\w+)*\\) run server ")
                    .containsPattern("(?m)^  " + name + " +\\w");
        }
    }

    @Test
    void the_guide_types_commands_that_exist() throws IOException {
        List<String> typed = Files.readAllLines(GUIDE).stream()
                .filter(line -> line.strip().startsWith("./hapax "))
                .toList();

        assertThat(typed).hasSizeGreaterThan(15).allSatisfy(CommandReferenceTest::parses);
    }

    private static void parses(String example) {
        assertThatCode(() -> Commands.commandLine(Map.of()).parseArgs(words(example)))
                .as(example)
                .doesNotThrowAnyException();
    }

    /** As a shell would part them, without what it would redirect. */
    private static String[] words(String example) {
        List<String> words = new ArrayList<>();
        String line = example.replaceFirst(" > .*", "").strip();
        Matcher word = Pattern.compile("\"([^\"]*)\"|(\\S+)").matcher(line);
        while (word.find()) {
            words.add(word.group(1) == null ? word.group(2) : word.group(1));
        }
        return words.subList(1, words.size()).toArray(String[]::new);
    }

    /** All but the root, in the order of the tree. */
    private static List<CommandLine> commands() {
        List<CommandLine> all = new ArrayList<>();
        collect(Commands.commandLine(Map.of()), all);
        return all;
    }

    private static void collect(CommandLine command, List<CommandLine> all) {
        for (CommandLine child : command.getSubcommands().values()) {
            all.add(child);
            collect(child, all);
        }
    }

    /** Without the options of the database, which are the same everywhere: the head of the page tells them. */
    private static String ownWords(String usage) {
        return usage.replaceFirst("(?s)\\RThe database:\\R.*?\\R\\R", "\n").stripTrailing();
    }

    private static String page() {
        StringBuilder page = new StringBuilder(HEAD);
        for (CommandLine command : commands()) {
            String name = command.getCommandSpec().qualifiedName().replace("./hapax ", "");
            boolean isGroup = !command.getSubcommands().isEmpty();
            page.append(String.format(Locale.ROOT, "%n%s %s%n%n", name.contains(" ") ? "###" : "##", name));
            if (isGroup) {
                page.append(String.join(
                                "\n", command.getCommandSpec().usageMessage().description()))
                        .append('\n');
                continue;
            }
            page.append("```text\n")
                    .append(ownWords(command.getUsageMessage(Ansi.OFF)))
                    .append("\n```\n");
        }
        return page.toString();
    }
}
