package dev.hapax.docs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The Markdown of this repository, and the sources that it shows. */
final class Manual {

    static final Path ROOT = root();

    private static final Path EXAMPLES = ROOT.resolve("docs/src/test/java/dev/hapax/docs");
    private static final Set<String> NOT_OURS = Set.of("target", ".git", ".idea", "data", "node_modules");
    private static final Pattern FIRST_COLUMN = Pattern.compile("^\\| `([^`]+)`[^|]*\\|(.*)\\|$", Pattern.MULTILINE);

    private Manual() {}

    /** All pages, in a stable order. */
    static List<Path> pages() {
        List<Path> pages = new ArrayList<>();
        try {
            Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                    return NOT_OURS.contains(String.valueOf(folder.getFileName()))
                            ? FileVisitResult.SKIP_SUBTREE
                            : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (file.toString().endsWith(".md")) {
                        pages.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        pages.sort(null);
        return pages;
    }

    static Path page(String path) {
        return ROOT.resolve(path);
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException failure) {
            throw new UncheckedIOException("could not read " + file, failure);
        }
    }

    /** A page without its code blocks, in which nothing is a link or a heading. */
    static String prose(Path page) {
        return read(page).replaceAll("(?ms)^ *```.*?^ *```$", "");
    }

    /** A row of a table whose first column is code. */
    record Row(String name, List<String> others) {}

    /** The rows of all tables in a page whose first column is code. */
    static List<Row> rows(String text) {
        List<Row> rows = new ArrayList<>();
        Matcher row = FIRST_COLUMN.matcher(text);
        while (row.find()) {
            List<String> others = new ArrayList<>();
            for (String cell : row.group(2).split("(?<!\\\\)\\|", -1)) {
                others.add(cell.strip());
            }
            rows.add(new Row(row.group(1), others));
        }
        return rows;
    }

    /** What stands under a heading, up to the next one of any level. */
    static String section(Path page, String heading) {
        Matcher found = Pattern.compile("(?ms)^#+ " + Pattern.quote(heading) + "$(.*?)(?=^#+ |\\z)")
                .matcher(prose(page));
        if (!found.find()) {
            throw new IllegalStateException(page + " has no heading \"" + heading + "\"");
        }
        return found.group(1);
    }

    /**
     * A region of an example: all lines between its marks, moved to the margin. A region may have several parts; lines between them are not shown.
     *
     * @param reference such as {@code OnceDoc.java#run}
     */
    static String region(String reference) {
        String file = reference.substring(0, reference.indexOf('#'));
        String name = reference.substring(reference.indexOf('#') + 1);
        StringBuilder region = new StringBuilder();
        List<String> part = null;
        for (String line : read(EXAMPLES.resolve(file)).lines().toList()) {
            String mark = line.strip();
            if (mark.equals("// tag::" + name + "[]")) {
                part = new ArrayList<>();
            } else if (part != null && mark.equals("// end::" + name + "[]")) {
                region.append(atMargin(part));
                part = null;
            } else if (part != null && !mark.startsWith("// tag::") && !mark.startsWith("// end::")) {
                part.add(line);
            }
        }
        if (region.isEmpty() || part != null) {
            throw new IllegalStateException("there is no region " + reference + ", or its end is missing");
        }
        return region.toString();
    }

    private static String atMargin(List<String> lines) {
        // What strips in the way of a text block; its closing mark would count as a line of its own.
        return String.join("\n", lines).stripIndent() + "\n";
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("hapax"))) {
            folder = folder.getParent();
        }
        return folder;
    }
}
