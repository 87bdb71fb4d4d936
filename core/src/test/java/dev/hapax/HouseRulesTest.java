package dev.hapax;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Reads the sources of all modules and holds them to the rules of the house. */
class HouseRulesTest {
    private static final int LINES_MAX = 700;
    private static final Set<String> NO_SOURCES = Set.of("target", ".git", ".idea", "data");
    private static final Path ROOT = root();
    private static final List<Source> SOURCES = sources();

    private record Source(String path, List<String> lines) {
        boolean isJava() {
            return path.endsWith(".java");
        }

        boolean isTest() {
            return path.contains("src/test/");
        }

        boolean isMain() {
            return path.contains("src/main/");
        }

        boolean isIn(String module) {
            return path.startsWith(module + "/");
        }
    }

    @Test
    void there_are_sources_of_every_module() {
        for (String module : List.of("core", "testkit", "server", "examples", "benchmarks")) {
            assertThat(SOURCES).anyMatch(source -> source.isJava() && source.isIn(module));
        }
    }

    @Test
    void tests_wait_for_signals_and_never_sleep() {
        none(source -> source.isJava() && source.isTest(), "Thread\\.sleep|TimeUnit\\.[A-Z]+\\.sleep|parkNanos");
    }

    @Test
    void no_test_is_skipped() {
        none(
                source -> source.isJava() && source.isTest(),
                "@Disabled|@Ignore\\b|@Enabled[A-Z]|\\bassum(e|ing)[A-Z]|\\bAssum(ptions?|e)\\b|TestAborted");
    }

    /** What a machine lacks is a failure that says so; a test that ends early would pass. */
    @Test
    void no_test_ends_early() {
        List<String> found = new ArrayList<>();
        for (Source source : SOURCES) {
            if (source.isJava() && source.isTest()) {
                String test = "";
                for (String line : source.lines()) {
                    if (line.matches(" {4}@(\\w*Test|EveryCrashPoint)\\b.*")) {
                        test = source.path() + ": ";
                    } else if (line.equals("    }")) {
                        test = "";
                    } else if (!test.isEmpty() && line.matches(".*\\breturn;.*")) {
                        found.add(test + line.strip());
                    }
                }
            }
        }
        assertThat(found).isEmpty();
    }

    @Test
    void nothing_is_left_for_later() {
        none(source -> true, "\\bTO" + "DO\\b|\\bFIX" + "ME\\b|\\bXX" + "X\\b");
    }

    @Test
    void libraries_print_nothing() {
        none(
                source -> source.isJava() && source.isMain() && source.isIn("core"),
                "System\\.(out|err)\\b|printStackTrace\\(");
    }

    @Test
    void no_failure_is_swallowed() {
        none(Source::isJava, "catch \\([^)]*\\) \\{\\s*\\}");
    }

    @Test
    void what_is_internal_to_the_library_stays_there() {
        none(
                source -> source.isJava() && source.isMain() && !source.isIn("core"),
                // The testkit runs consumers, claims and sagas step by step, and relays read the log, by the types that
                // are
                // there for it.
                "^import (static )?dev\\.hapax\\.internal\\b(?!\\.consume\\.(SteppedConsumer|LogFeed|FeedBatch|LaneMark|HeldMessage|HistoryBreak|RelayStore)\\b|\\.(claim\\.SteppedKind|saga\\.SteppedSagas);)");
    }

    @Test
    void files_are_short_enough_to_read() {
        assertThat(SOURCES)
                .filteredOn(Source::isJava)
                .allSatisfy(source -> assertThat(source.lines())
                        .as("lines of %s", source.path())
                        .hasSizeLessThanOrEqualTo(LINES_MAX));
    }

    private static void none(Predicate<Source> where, String forbidden) {
        Pattern pattern = Pattern.compile(forbidden);
        List<String> found = new ArrayList<>();
        for (Source source : SOURCES) {
            if (!where.test(source) || source.path().endsWith("HouseRulesTest.java")) {
                continue;
            }
            for (int line = 0; line < source.lines().size(); line++) {
                if (pattern.matcher(source.lines().get(line)).find()) {
                    found.add(source.path() + ":" + (line + 1) + ": "
                            + source.lines().get(line).strip());
                }
            }
        }
        assertThat(found).isEmpty();
    }

    private static List<Source> sources() {
        try (Stream<Path> tree = Files.walk(ROOT)) {
            return tree.filter(HouseRulesTest::isSource)
                    .map(HouseRulesTest::read)
                    .toList();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static boolean isSource(Path path) {
        Path relative = ROOT.relativize(path);
        for (Path part : relative) {
            if (NO_SOURCES.contains(part.toString())) {
                return false;
            }
        }
        return relative.toString().matches(".*\\.(java|sql|md|html|js|xml|ya?ml|sh)") && Files.isRegularFile(path);
    }

    private static Source read(Path path) {
        try {
            return new Source(ROOT.relativize(path).toString().replace('\\', '/'), Files.readAllLines(path));
        } catch (IOException failure) {
            throw new UncheckedIOException("could not read " + path, failure);
        }
    }

    /** The folder of the launcher, from wherever the tests are run. */
    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("hapax"))) {
            folder = folder.getParent();
        }
        return folder;
    }
}
