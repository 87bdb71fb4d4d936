package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Links inside the repository lead somewhere. */
class LinksTest {

    private static final Pattern LINK = Pattern.compile("\\[[^\\]\\[]*\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");

    @Test
    void every_relative_link_leads_to_a_file_and_a_heading() {
        List<String> broken = new ArrayList<>();
        int followed = 0;
        for (Path page : Manual.pages()) {
            for (String target : LINK.matcher(Manual.prose(page))
                    .results()
                    .map(m -> m.group(1))
                    .toList()) {
                if (target.matches("(https?|mailto):.*")) {
                    continue;
                }
                followed++;
                if (!leadsSomewhere(page, target)) {
                    broken.add(Manual.ROOT.relativize(page) + " -> " + target);
                }
            }
        }
        assertThat(broken).isEmpty();
        assertThat(followed).isGreaterThan(50);
    }

    private static boolean leadsSomewhere(Path page, String target) {
        int hash = target.indexOf('#');
        String path = hash < 0 ? target : target.substring(0, hash);
        Path file = path.isEmpty() ? page : page.resolveSibling(path).normalize();
        return Files.exists(file) && (hash < 0 || anchors(file).contains(target.substring(hash + 1)));
    }

    /** As they are made of headings where such pages are commonly read. */
    private static Set<String> anchors(Path page) {
        return HEADING.matcher(Manual.prose(page))
                .results()
                .map(m -> m.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-'))
                .collect(Collectors.toSet());
    }
}
