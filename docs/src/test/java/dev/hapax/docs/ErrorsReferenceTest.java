package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.DamagedException;
import dev.hapax.FencedException;
import dev.hapax.HapaxException;
import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.PausedException;
import dev.hapax.RetryException;
import dev.hapax.SchemaException;
import dev.hapax.StoreException;
import dev.hapax.TooEarlyException;
import dev.hapax.TooLateException;
import dev.hapax.VersionConflictException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The page of errors has each code that is thrown, and no other. */
class ErrorsReferenceTest {

    private static final Path PAGE = Manual.page("docs/reference/errors.md");
    private static final Path SOURCES = Manual.page("core/src/main/java/dev/hapax");
    private static final Key KEY = Key.of("orders", "1");

    private static final List<HapaxException> ALL = List.of(
            new PausedException(""),
            new TooLateException(KEY, ""),
            new TooEarlyException(KEY, ""),
            new InProgressException(KEY, ""),
            new KeyReusedException(KEY, ""),
            new VersionConflictException(KEY, "account/1", 1, 2),
            new FencedException(KEY, ""),
            new RetryException("", null),
            new StoreException("", null),
            new DamagedException("", null),
            new SchemaException("", null));

    @Test
    void the_list_above_is_complete() throws IOException {
        try (Stream<Path> files = Files.list(SOURCES)) {
            assertThat(files.filter(file -> file.toString().endsWith("Exception.java"))
                            .filter(file -> !Manual.read(file).contains("abstract class"))
                            .map(file -> file.getFileName().toString().replace(".java", "")))
                    .containsExactlyInAnyOrderElementsOf(ALL.stream()
                            .map(error -> error.getClass().getSimpleName())
                            .toList());
        }
    }

    @Test
    void the_table_names_each_code_with_its_class() {
        List<String> rows = Manual.rows(Manual.section(PAGE, "In order of precedence")).stream()
                .map(row -> row.name() + " " + row.others().getFirst().replace("`", ""))
                .toList();
        assertThat(rows)
                .containsExactlyInAnyOrderElementsOf(ALL.stream()
                        .map(error -> error.code() + " " + error.getClass().getSimpleName())
                        .toList());
    }

    @Test
    void each_code_has_a_section_that_says_what_happened_and_what_to_do_in_the_order_of_the_table() {
        List<String> sections = Pattern.compile("(?m)^## ([a-z][a-z-]*)$")
                .matcher(Manual.prose(PAGE))
                .results()
                .map(m -> m.group(1))
                .toList();
        assertThat(sections)
                .containsExactlyElementsOf(Manual.rows(Manual.section(PAGE, "In order of precedence")).stream()
                        .map(Manual.Row::name)
                        .toList());
        assertThat(sections)
                .allSatisfy(code -> assertThat(Manual.section(PAGE, code))
                        .contains("**What happened.**", "**What did not.**", "**What to do.**"));
    }
}
