package dev.hapax.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A copy of a server's files at one moment, taken while it works: what {@code pg_basebackup} makes, which the embedded binaries lack. It holds what was committed when it was finished.
 *
 * <p>Thread-safe.
 */
public final class BaseBackup implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BaseBackup.class);

    /** What a server makes anew, or what belongs to the one that runs. */
    private static final Set<String> EMPTIED =
            Set.of("pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp");

    private static final Set<String> LEFT_OUT = Set.of("postmaster.pid", "postmaster.opts", "epg-lock");

    private static final String FILES = "postgresql";

    private final Path root;

    private BaseBackup(Path root) {
        this.root = root;
    }

    static BaseBackup of(EmbeddedDatabase server) {
        try {
            Path root = server.newSibling();
            try (Connection connection = server.dataSource().getConnection();
                    Statement statement = connection.createStatement()) {
                copy(statement, server.data(), root.resolve(FILES));
            } catch (SQLException | IOException | RuntimeException failure) {
                EmbeddedDatabase.deleteTree(root);
                throw failure;
            }
            return new BaseBackup(root);
        } catch (SQLException | IOException failure) {
            throw new IllegalStateException("could not take a base backup of " + server, failure);
        }
    }

    /** The session must stay the same from start to stop. A slot of its own keeps the log that was written meanwhile. */
    private static void copy(Statement statement, Path from, Path to) throws SQLException, IOException {
        text(statement, "SELECT pg_create_physical_replication_slot('hapax_backup_' || pg_backend_pid(), true, true)");
        String first = text(statement, "SELECT pg_walfile_name(pg_backup_start('hapax-testkit', true))");
        copyTree(from, to, true);
        String label;
        String last;
        try (ResultSet row =
                statement.executeQuery("SELECT pg_walfile_name(lsn), labelfile FROM pg_backup_stop(false)")) {
            row.next();
            last = row.getString(1);
            label = row.getString(2);
        }
        Files.writeString(to.resolve("backup_label"), label, StandardCharsets.UTF_8);
        try (var files = Files.list(from.resolve("pg_wal"))) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                boolean needed =
                        name.matches("[0-9A-F]{24}") && name.compareTo(first) >= 0 && name.compareTo(last) <= 0;
                if (needed || name.endsWith(".history")) {
                    Files.copy(file, to.resolve("pg_wal").resolve(name), StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
    }

    private static String text(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        }
    }

    /** Copies the backup's files into a directory that is not there yet. */
    void copyTo(Path data) throws IOException {
        copyTree(root.resolve(FILES), data, false);
    }

    private static void copyTree(Path from, Path to, boolean running) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path source, BasicFileAttributes attributes) throws IOException {
                Path path = from.relativize(source);
                String top = path.getName(0).toString();
                // What is below pg_wal is expected to be there; a slot without its state isn't.
                if (running && path.getNameCount() > 1 && EMPTIED.contains(top) && !top.equals("pg_wal")) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                Files.copy(source, to.resolve(from.relativize(source)), StandardCopyOption.COPY_ATTRIBUTES);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path source, BasicFileAttributes attributes) throws IOException {
                Path path = from.relativize(source);
                String top = path.getName(0).toString();
                if (running && path.getNameCount() > 1 && top.equals("pg_tblspc")) {
                    throw new IOException("a server with tablespaces can't be backed up here");
                }
                if (!running || !(EMPTIED.contains(top) || LEFT_OUT.contains(top) || isTemporary(path))) {
                    copyFile(source, to.resolve(path));
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path source, IOException failure) throws IOException {
                if (running && failure instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw failure;
            }
        });
    }

    private static boolean isTemporary(Path path) {
        return path.getFileName().toString().startsWith("pgsql_tmp") || path.startsWith("base/pgsql_tmp");
    }

    /** A file that a running server removes meanwhile is one that the log removes again. */
    private static void copyFile(Path source, Path target) throws IOException {
        try {
            Files.copy(source, target, StandardCopyOption.COPY_ATTRIBUTES);
        } catch (NoSuchFileException gone) {
            LOG.debug("{} was removed while it was backed up", source, gone);
        }
    }

    /** Deletes the backup. */
    @Override
    public void close() {
        try {
            EmbeddedDatabase.deleteTree(root);
        } catch (IOException failure) {
            throw new UncheckedIOException("could not delete the backup in " + root, failure);
        }
    }
}
