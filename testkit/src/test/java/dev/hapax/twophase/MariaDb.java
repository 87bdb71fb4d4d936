package dev.hapax.twophase;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.mariadb.jdbc.MariaDbDataSource;

/**
 * A MariaDB for tests, as {@code dev/install-test-packages} unpacks it or as it is installed: on the loopback interface, open to everyone, with a directory of its own that is deleted at the end. It ends with this JVM.
 * Safe for use by many threads.
 */
final class MariaDb implements AutoCloseable {

    private static final Duration START_WITHIN = Duration.ofSeconds(60);

    private final Path directory;
    private final int port;
    private final Process process;
    private final Thread guard;

    private MariaDb(Path directory, int port, Process process) {
        this.directory = directory;
        this.port = port;
        this.process = process;
        this.guard = new Thread(process::destroyForcibly, "hapax-mariadb-guard");
        Runtime.getRuntime().addShutdownHook(guard);
    }

    static MariaDb start() throws Exception {
        Path binary = binary();
        Path directory = Files.createTempDirectory("hapax-mariadb");
        bootstrap(binary, directory);
        int port = freePort();
        List<String> command = command(binary, directory);
        command.addAll(List.of(
                "--bind-address=127.0.0.1",
                "--port=" + port,
                "--socket=" + directory.resolve("socket"),
                "--pid-file=" + directory.resolve("pid"),
                "--skip-grant-tables",
                "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=1",
                "--innodb-buffer-pool-size=32M",
                "--performance-schema=OFF",
                "--log-error=" + directory.resolve("log")));
        MariaDb server = new MariaDb(directory, port, run(command, binary).start());
        await().atMost(START_WITHIN).ignoreExceptions().until(() -> {
            try (Connection connection = server.connect("")) {
                return connection.isValid(5);
            }
        });
        return server;
    }

    /** The tables that the server itself needs. */
    private static void bootstrap(Path binary, Path directory) throws Exception {
        Files.createDirectory(directory.resolve("data"));
        List<String> command = command(binary, directory);
        command.addAll(List.of("--bootstrap", "--skip-grant-tables", "--log-error=" + directory.resolve("log")));
        Process process = run(command, binary).start();
        try (var in = process.getOutputStream()) {
            in.write("CREATE DATABASE mysql;\nUSE mysql;\n".getBytes(StandardCharsets.UTF_8));
            Files.copy(share(binary).resolve("mysql_system_tables.sql"), in);
        }
        if (!process.waitFor(START_WITHIN.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IllegalStateException(
                    "MariaDB could not make its own tables: " + Files.readString(directory.resolve("log")));
        }
    }

    private static List<String> command(Path binary, Path directory) {
        List<String> command = new ArrayList<>(List.of(
                binary.toString(),
                "--no-defaults",
                "--datadir=" + directory.resolve("data"),
                "--lc-messages-dir=" + share(binary),
                "--character-sets-dir=" + share(binary).resolve("charsets")));
        if ("root".equals(System.getProperty("user.name"))) {
            command.add("--user=root");
        }
        return command;
    }

    private static Path share(Path binary) {
        return binary.resolveSibling("../share/mysql").normalize();
    }

    private static ProcessBuilder run(List<String> command, Path binary) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
        Path libraries = binary.resolveSibling("../lib").normalize();
        if (binary.startsWith(cache()) && Files.isDirectory(libraries)) {
            try (Stream<Path> folders = Files.list(libraries)) {
                builder.environment()
                        .put(
                                "LD_LIBRARY_PATH",
                                String.join(":", folders.map(Path::toString).toList()));
            }
        }
        return builder;
    }

    private static Path cache() {
        String set = System.getenv("XDG_CACHE_HOME");
        Path base = set == null || set.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(set);
        return base.resolve("hapax/mariadb");
    }

    private static Path binary() {
        return Stream.of(
                        Path.of("/usr/sbin/mariadbd"),
                        Path.of("/usr/local/sbin/mariadbd"),
                        Path.of("/usr/libexec/mariadbd"),
                        cache().resolve("usr/sbin/mariadbd"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "mariadbd is not on this machine; run dev/install-test-packages, or install it"));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private String url(String database) {
        return "jdbc:mariadb://127.0.0.1:" + port + "/" + database + "?user=root&sslMode=disable&connectTimeout=5000";
    }

    /** @param database may be empty */
    Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(url(database));
    }

    MariaDbDataSource source(String database) throws SQLException {
        return new MariaDbDataSource(url(database));
    }

    void execute(String database, String... statements) throws SQLException {
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** The names of the prepared transactions of the whole server, as hex: the global part first. */
    List<String> prepared() throws SQLException {
        try (Connection connection = connect("");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("XA RECOVER FORMAT='SQL'")) {
            List<String> names = new ArrayList<>();
            while (row.next()) {
                names.add(row.getString("data"));
            }
            return names;
        }
    }

    @Override
    public void close() throws Exception {
        Runtime.getRuntime().removeShutdownHook(guard);
        process.destroy();
        if (!process.waitFor(START_WITHIN.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
