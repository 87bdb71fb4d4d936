package dev.hapax.examples.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What processes say, in a file for each name. Processes say little, so a file is open only while it is written. Thread-safe. */
final class OutputFolder {
    private static final Logger LOG = LoggerFactory.getLogger(OutputFolder.class);

    private final ReentrantLock lock = new ReentrantLock();
    private final Path folder;
    private boolean broken;

    OutputFolder(Path folder) {
        this.folder = folder;
        try {
            Files.createDirectories(folder);
        } catch (IOException failure) {
            throw new UncheckedIOException("could not use " + folder + " for logs", failure);
        }
    }

    /** Adds a line to the file of this name. */
    void add(String name, String line) {
        lock.lock();
        try {
            if (!broken) {
                Files.writeString(
                        folder.resolve(name + ".log"),
                        line + "\n",
                        StandardCharsets.UTF_8,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            }
        } catch (IOException failure) {
            broken = true;
            LOG.warn("no more logs in {}", folder, failure);
        } finally {
            lock.unlock();
        }
    }
}
