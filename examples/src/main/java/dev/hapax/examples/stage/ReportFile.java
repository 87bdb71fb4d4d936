package dev.hapax.examples.stage;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A file that is written at the end of a run. */
public final class ReportFile {
    private ReportFile() {}

    /**
     * Looks before the run whether it can be written, not after it.
     *
     * @param file where the report goes
     * @return what is wrong with it, if anything is
     */
    public static Optional<String> problem(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            return Optional.of("--report " + file + ": there is no such folder");
        }
        if (Files.isDirectory(file)) {
            return Optional.of("--report " + file + " is a folder");
        }
        boolean writable = Files.exists(file) ? Files.isWritable(file) : Files.isWritable(folder);
        return writable ? Optional.empty() : Optional.of("--report " + file + " can't be written");
    }
}
