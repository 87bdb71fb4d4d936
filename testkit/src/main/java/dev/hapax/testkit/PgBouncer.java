package dev.hapax.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A PgBouncer in front of an {@link EmbeddedDatabase}, pooling by transaction: two transactions of one client may run on two server sessions.
 *
 * <p>It is found on the PATH, in the system's {@code sbin}, or where {@code dev/install-test-packages} unpacks it. It listens on the loopback
 * interface, lets everyone in, and is killed when it is closed or this JVM ends. Thread-safe.
 */
public final class PgBouncer implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(20);
    private static final int TRIES = 3;

    private final Process process;
    private final Path directory;
    private final int port;

    private PgBouncer(Process process, Path directory, int port) {
        this.process = process;
        this.directory = directory;
        this.port = port;
    }

    /**
     * Starts one in front of a server.
     *
     * @param server the server
     * @param sessions how many server sessions each database gets at most, 1 or more; fewer than the clients' connections, or nothing is shared
     * @return the running PgBouncer
     * @throws IllegalStateException if there is no PgBouncer on this machine, or it doesn't start; the message holds what it printed
     */
    public static PgBouncer before(EmbeddedDatabase server, int sessions) {
        Path binary = find().orElseThrow(() -> new IllegalStateException(
                "pgbouncer is not on this machine; run dev/install-test-packages, or install it"));
        IllegalStateException last = null;
        for (int tried = 0; tried < TRIES; tried++) {
            try {
                return start(binary, server, sessions);
            } catch (IllegalStateException failure) {
                // Between looking for a free port and taking it, somebody else may have.
                last = failure;
            }
        }
        throw new IllegalStateException("pgbouncer did not start in " + TRIES + " tries", last);
    }

    private static PgBouncer start(Path binary, EmbeddedDatabase server, int sessions) {
        try {
            int port = PostgresServer.freePort();
            Path directory = Files.createTempDirectory("hapax-pgbouncer");
            // It gives up root's rights, and must still be able to read its configuration.
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            Path users = Files.writeString(directory.resolve("users.txt"), "\"" + EmbeddedDatabase.USER + "\" \"\"\n");
            Path ini =
                    Files.writeString(directory.resolve("pgbouncer.ini"), configuration(server, port, sessions, users));
            Process process = command(binary, ini).redirectErrorStream(true).start();
            Processes.guard(process.toHandle());
            PgBouncer bouncer = new PgBouncer(process, directory, port);
            bouncer.awaitListening(OutputLines.of(process.getInputStream(), "pgbouncer", line -> {}));
            return bouncer;
        } catch (IOException failure) {
            throw new UncheckedIOException("could not start pgbouncer", failure);
        }
    }

    private void awaitListening(OutputLines output) {
        try {
            output.await(line -> line.contains("process up"), 0, START_TIMEOUT);
        } catch (TimeoutException failure) {
            close();
            throw new IllegalStateException("pgbouncer did not start: " + failure.getMessage(), failure);
        } catch (InterruptedException interrupted) {
            close();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while pgbouncer started", interrupted);
        }
    }

    private static String configuration(EmbeddedDatabase server, int port, int sessions, Path users) {
        return """
                [databases]
                * = host=127.0.0.1 port=%d
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = %d
                unix_socket_dir =
                auth_type = trust
                auth_file = %s
                pool_mode = transaction
                default_pool_size = %d
                max_client_conn = 1000
                ignore_startup_parameters = extra_float_digits
                """.formatted(server.port(), port, users, sessions);
    }

    private static ProcessBuilder command(Path binary, Path ini) {
        List<String> command = new ArrayList<>(List.of(binary.toString()));
        if ("root".equals(System.getProperty("user.name"))) {
            command.addAll(List.of("-u", "nobody"));
        }
        command.add(ini.toString());
        ProcessBuilder builder = new ProcessBuilder(command);
        // Unpacked in a cache, its libraries lie beside it: …/usr/sbin/pgbouncer, …/usr/lib/<machine>.
        Path libraries = binary.resolveSibling("../lib").normalize();
        if (binary.startsWith(cache()) && Files.isDirectory(libraries)) {
            builder.environment().put("LD_LIBRARY_PATH", foldersIn(libraries));
        }
        return builder;
    }

    private static String foldersIn(Path libraries) {
        try (Stream<Path> folders = Files.list(libraries)) {
            return String.join(":", folders.map(Path::toString).toList());
        } catch (IOException failure) {
            throw new UncheckedIOException("could not list " + libraries, failure);
        }
    }

    private static Optional<Path> find() {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        Stream<Path> onPath = Arrays.stream(path.split(":", -1)).map(Path::of);
        Stream<Path> usual =
                Stream.of("/usr/sbin", "/usr/local/sbin", "/usr/local/bin").map(Path::of);
        return Stream.of(onPath, usual, Stream.of(cache().resolve("usr/sbin")))
                .flatMap(folders -> folders)
                .map(folder -> folder.resolve("pgbouncer"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static Path cache() {
        String root = Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
                .filter(set -> !set.isBlank())
                .orElseGet(() -> System.getProperty("user.home") + "/.cache");
        return Path.of(root, "hapax", "pgbouncer");
    }

    /** {@return the port on the loopback interface} */
    public int port() {
        return port;
    }

    /**
     * A data source through the pooler. The driver keeps no statement prepared on a session, as PgBouncer before 1.21 demands.
     *
     * @param database the database
     * @return a data source that opens a new client connection each time, as the superuser
     */
    public DataSource dataSource(TestDatabase database) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {"127.0.0.1"});
        source.setPortNumbers(new int[] {port});
        source.setDatabaseName(database.name());
        source.setUser(EmbeddedDatabase.USER);
        source.setPrepareThreshold(0);
        return source;
    }

    /** Kills it; its clients lose their connections. */
    @Override
    public void close() {
        process.destroyForcibly();
        Processes.ended(process.toHandle(), START_TIMEOUT);
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException("could not remove " + directory, failure);
        }
    }
}
