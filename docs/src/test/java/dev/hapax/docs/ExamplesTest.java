package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the manual shows in Java is a region of a test that runs. {@value #UPDATE} writes the regions into the pages.
 */
class ExamplesTest {

    static final String UPDATE =
            "./hapax test -pl docs -am -Dtest=ExamplesTest -Dhapax.test.args=-Dhapax.docs.update=true";

    private static final Pattern INCLUDE =
            Pattern.compile("<!-- include: (\\S+\\.java#\\S+) -->\\n```java\\n(.*?)```\\n", Pattern.DOTALL);
    private static final Pattern BLOCK = Pattern.compile("(?m)^(.*)\\n```java$");

    @Test
    void every_example_is_a_region_of_a_test_that_runs() throws IOException {
        List<String> stale = new ArrayList<>();
        int shown = 0;
        for (Path page : Manual.pages()) {
            String text = Manual.read(page);
            String fresh = INCLUDE.matcher(text).replaceAll(found -> Matcher.quoteReplacement(block(found.group(1))));
            shown += (int) INCLUDE.matcher(text).results().count();
            if (!fresh.equals(text)) {
                if (Boolean.getBoolean("hapax.docs.update")) {
                    Files.writeString(page, fresh);
                } else {
                    stale.add(Manual.ROOT.relativize(page).toString());
                }
            }
        }
        assertThat(stale)
                .as("pages whose examples are not what runs; %s puts them right", UPDATE)
                .isEmpty();
        assertThat(shown).isGreaterThan(20);
    }

    private static String block(String reference) {
        return "<!-- include: " + reference + " -->\n```java\n" + Manual.region(reference) + "```\n";
    }

    @Test
    void no_java_stands_in_the_manual_that_nobody_compiles() {
        for (Path page : Manual.pages()) {
            BLOCK.matcher(Manual.read(page))
                    .results()
                    .forEach(found -> assertThat(found.group(1))
                            .as("the line before a block of Java in %s", page)
                            .startsWith("<!-- include: "));
        }
    }

    @Test
    void every_region_is_shown_somewhere() throws IOException {
        String all = String.join("\n", Manual.pages().stream().map(Manual::read).toList());
        List<String> regions = new ArrayList<>();
        try (Stream<Path> files = Files.list(Manual.ROOT.resolve("docs/src/test/java/dev/hapax/docs"))) {
            for (Path file :
                    files.filter(f -> !f.endsWith("Manual.java")).sorted().toList()) {
                Pattern.compile("// tag::(\\w+)\\[\\]")
                        .matcher(Manual.read(file))
                        .results()
                        .forEach(tag -> regions.add(file.getFileName() + "#" + tag.group(1)));
            }
        }
        assertThat(regions).isNotEmpty().allSatisfy(region -> assertThat(all).contains("include: " + region + " -->"));
    }
}
