package dev.hapax.testkit;

import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A real PostgreSQL server for tests and demonstrations, durable as in production, on the loopback interface only.
 *
 * <p>What is written survives: {@code fsync}, {@code synchronous_commit} and {@code full_page_writes} are on and are asked for again after each
 * start; a server that has them off is refused. Up to 64 transactions can be prepared, and changes can be decoded logically.
 *
 * <p>The server belongs to this JVM: it is stopped when this is closed or the JVM ends, however it ends. After a SIGKILL of the JVM a shell that has waited for it stops the server; should that be
 * gone too, the next start on the same directory does. Two JVMs can't use one directory at once.
 *
 * <p>Thread-safe.
 */
public final class EmbeddedDatabase implements AutoCloseable {
    /** The superuser that connects without a password. */
    public static final String USER = "postgres";

    private static final String EMPTY = "template1";
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]{0,62}");

    /** What makes a commit durable and the server safe to leave alone; a builder can't change these. */
    private static final Map<String, String> FIXED = Map.of(
            "fsync", "on",
            "synchronous_commit", "on",
            "full_page_writes", "on",
            "wal_level", "logical",
            "listen_addresses", "127.0.0.1");

    /** Linux has it; where it isn't, or is small, as in a container, the disk does. */
    private static final Path MEMORY = Path.of("/dev/shm");

    private static final long MEMORY_BYTES_MIN = 3L << 30;

    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicLong databases = new AtomicLong();
    private final Queue<TestDatabase> given = new ConcurrentLinkedQueue<>();
    private final Path root;
    private final boolean kept;
    private final FileChannel ownership;
    private final Map<String, String> settings;
    private final PostgresServer server;
    private final TestDatabase main;
    private final Thread lastGuard;
    private final LastWill lastWill;
    private boolean closed;

    private EmbeddedDatabase(Path root, boolean kept, FileChannel ownership, Map<String, String> settings, int port) {
        this.root = root;
        this.kept = kept;
        this.ownership = ownership;
        this.settings = settings;
        this.server = new PostgresServer(root.resolve("postgresql"), root.resolve("postgresql.log"), port);
        this.main = new TestDatabase(this, USER, false);
        this.lastGuard = new Thread(this::stopAndClean, "hapax-testkit-database-guard");
        this.lastWill = LastWill.stopServer(root, kept);
    }

    /**
     * Describes a server.
     *
     * @return a builder, not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts a server on a fresh directory that is deleted when it is closed.
     *
     * @return the running server
     * @throws IllegalStateException if it doesn't start; the message holds the end of its log
     */
    public static EmbeddedDatabase start() {
        return builder().start();
    }

    /**
     * The one server that the tests of this JVM share, in memory where the machine can; see {@link Builder#inMemory()}. Started by the first call, stopped when the JVM ends. Take a database of your own from it with
     * {@link #createDatabase()}, and don't stop it: tests that kill a server start their own.
     *
     * @return the running server
     * @throws IllegalStateException if it doesn't start; the message holds the end of its log
     */
    public static EmbeddedDatabase shared() {
        return Shared.INSTANCE;
    }

    /** {@return the JDBC URL of the default database, for the superuser, without a password} */
    public String jdbcUrl() {
        return main.jdbcUrl();
    }

    /** {@return the superuser's name; it has no password} */
    public String user() {
        return USER;
    }

    /** {@return the port on the loopback interface; the same after {@link #restart()}} */
    public int port() {
        lock.lock();
        try {
            return server.port();
        } finally {
            lock.unlock();
        }
    }

    /** {@return a data source without a pool, for the default database} */
    public DataSource dataSource() {
        return main.dataSource();
    }

    /**
     * A pool for the default database; closed with this server at the latest.
     *
     * @param size its fixed number of connections, 1 or more
     * @return the pool
     */
    public HikariDataSource pooled(int size) {
        return main.pooled(size);
    }

    /** {@return the default database, which is always there} */
    public TestDatabase database() {
        return main;
    }

    /**
     * A database by name, created if it isn't there; closing the answer doesn't drop it.
     *
     * @param name a lower-case letter, then letters, digits and underscores; at most 63
     * @return the database
     */
    public TestDatabase database(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("database name '" + name + "' is not " + NAME.pattern());
        }
        create(name, EMPTY);
        return give(new TestDatabase(this, name, false));
    }

    /**
     * A new, empty database; closing the answer drops it.
     *
     * @return the database
     */
    public TestDatabase createDatabase() {
        return createDatabase(EMPTY);
    }

    /**
     * A new database with all that another one holds, for tests that all begin with the same; closing the answer drops it. The identities that a Hapax schema gives itself are copied
     * as well: databases that are to be told apart need new ones.
     *
     * @param template nobody may be connected to it
     * @return the database
     * @throws IllegalStateException if it can't be copied, as while somebody is connected to it
     */
    public TestDatabase createDatabase(TestDatabase template) {
        return createDatabase(template.name());
    }

    private TestDatabase createDatabase(String template) {
        String name;
        do {
            name = "test_" + databases.incrementAndGet();
        } while (!create(name, template));
        return give(new TestDatabase(this, name, true));
    }

    private TestDatabase give(TestDatabase database) {
        given.add(database);
        return database;
    }

    private boolean create(String name, String template) {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            try (ResultSet rows = statement.executeQuery("SELECT 1 FROM pg_database WHERE datname = '" + name + "'")) {
                if (rows.next()) {
                    return false;
                }
            }
            statement.execute("CREATE DATABASE " + name + " TEMPLATE " + template);
            return true;
        } catch (SQLException failure) {
            throw new IllegalStateException("could not create database " + name, failure);
        }
    }

    void drop(String name) {
        if (!isRunning()) {
            return;
        }
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
        } catch (SQLException failure) {
            throw new IllegalStateException("could not drop database " + name, failure);
        }
    }

    /** {@return whether the server's process runs} */
    public boolean isRunning() {
        lock.lock();
        try {
            return server.isRunning();
        } finally {
            lock.unlock();
        }
    }

    /** Stops the server in order: sessions are ended, what they had not committed is gone. {@link #restart()} brings it back. */
    public void stop() {
        lock.lock();
        try {
            server.stop();
        } finally {
            lock.unlock();
        }
    }

    /** Kills the server and all its processes with SIGKILL and waits until they are gone. {@link #restart()} recovers it. */
    public void kill9() {
        lock.lock();
        try {
            server.kill9();
        } finally {
            lock.unlock();
        }
    }

    /** Stops the server at once, without a word to its sessions and without a checkpoint. {@link #restart()} recovers it. */
    public void stopImmediately() {
        lock.lock();
        try {
            server.quit();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends the sessions of all clients but this one, in all databases, as an operator would.
     *
     * @return how many there were
     * @throws SQLException if the server can't be asked
     */
    public int terminateSessions() throws SQLException {
        return (int) main.queryLong("SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                + " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) ended");
    }

    /**
     * Copies the running server's files, as a base backup: sessions go on meanwhile.
     *
     * @return the backup, in a directory of its own; it needs this server no longer
     * @throws IllegalStateException if it can't be taken
     */
    public BaseBackup backUp() {
        return BaseBackup.of(this);
    }

    /**
     * Puts a backup of this server in the place of its data, and starts it: what was committed after the backup was taken is gone, and nothing says so. The server is killed if it runs.
     *
     * @param backup what {@link #backUp()} gave; it can be restored again
     * @throws IllegalStateException if the server doesn't start
     */
    public void restore(BaseBackup backup) {
        lock.lock();
        try {
            if (server.isRunning()) {
                server.kill9();
            }
            deleteTree(server.data());
            backup.copyTo(server.data());
            restart();
        } catch (IOException failure) {
            throw new UncheckedIOException("could not restore " + root, failure);
        } finally {
            lock.unlock();
        }
    }

    /** A server on files that lie there already, deleted at the end. */
    static EmbeddedDatabase startOn(Path root, EmbeddedDatabase like) throws IOException {
        EmbeddedDatabase database = new EmbeddedDatabase(root, false, Builder.own(root), like.settings, 0);
        database.begin();
        return database;
    }

    /** Where a server that belongs to this one has its files: beside it, in memory if this one is. */
    Path newSibling() throws IOException {
        return root.startsWith(MEMORY)
                ? Files.createTempDirectory(MEMORY, "hapax-database")
                : Files.createTempDirectory("hapax-database");
    }

    /** {@return the directory of the server's own files} */
    Path data() {
        return server.data();
    }

    /**
     * Starts the server again on its data and port; stops it first if it runs.
     *
     * @throws IllegalStateException if it doesn't start, or this is closed
     */
    public void restart() {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the database on " + root + " is closed");
            }
            server.stop();
            startServer();
        } finally {
            lock.unlock();
        }
    }

    /** Closes the pools that were given, stops the server, and deletes its directory unless the builder was told one. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            for (TestDatabase database = given.poll(); database != null; database = given.poll()) {
                database.closePools();
            }
            main.closePools();
            Runtime.getRuntime().removeShutdownHook(lastGuard);
            stopAndClean();
        } finally {
            lock.unlock();
        }
    }

    private void stopAndClean() {
        lock.lock();
        try {
            closed = true;
            server.stop();
            ownership.close();
            if (!kept) {
                deleteTree(root);
            }
            lastWill.close();
        } catch (IOException failure) {
            throw new UncheckedIOException("could not clean up " + root, failure);
        } finally {
            lock.unlock();
        }
    }

    static void deleteTree(Path directory) throws IOException {
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private void begin() {
        Runtime.getRuntime().addShutdownHook(lastGuard);
        // The guard of a JVM that ends meanwhile waits here: what it can't see yet it could not stop.
        lock.lock();
        try {
            startServer();
        } catch (RuntimeException failure) {
            close();
            throw failure;
        } finally {
            lock.unlock();
        }
    }

    private void startServer() {
        server.start(settings);
        lastWill.about(server.pid());
        checkDurable();
    }

    /** The bundled defaults are unsafe, so what the server says counts, not what it was told. */
    private void checkDurable() {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            for (Map.Entry<String, String> setting : FIXED.entrySet()) {
                try (ResultSet rows = statement.executeQuery("SHOW " + setting.getKey())) {
                    rows.next();
                    if (!setting.getValue().equals(rows.getString(1))) {
                        throw new IllegalStateException("PostgreSQL runs with " + setting.getKey() + " = "
                                + rows.getString(1) + "; it must be " + setting.getValue());
                    }
                }
            }
        } catch (SQLException failure) {
            throw new IllegalStateException("could not ask PostgreSQL for its settings", failure);
        }
    }

    @Override
    public String toString() {
        return jdbcUrl() + " on " + root;
    }

    private static final class Shared {
        static final EmbeddedDatabase INSTANCE = builder().inMemory().start();
    }

    /** Says how a server is started. Not thread-safe. */
    public static final class Builder {
        private final Map<String, String> settings = new LinkedHashMap<>();
        private @Nullable Path directory;
        private int port;
        private int maxConnections = 200;
        private boolean inMemory;

        private Builder() {}

        /**
         * Keeps the data in a directory, and goes on with what is there; without it, the data is deleted at the end.
         *
         * @param newDirectory a directory, created if it isn't there
         * @return this
         */
        public Builder directory(Path newDirectory) {
            directory = newDirectory;
            return this;
        }

        /**
         * Keeps the data in a file system in memory, where the machine has one with room; deleted at the end. The server does all that it does elsewhere, {@code fsync} included, so what
         * survives the death of a process is the same; only what survives the death of the machine is not. No use together with {@link #directory(Path)}.
         *
         * @return this
         */
        public Builder inMemory() {
            inMemory = true;
            return this;
        }

        /**
         * Listens on a certain port; a free one by default.
         *
         * @param newPort 1 to 65535
         * @return this
         */
        public Builder port(int newPort) {
            if (newPort < 1 || newPort > 65_535) {
                throw new IllegalArgumentException("port is " + newPort + "; allowed are 1 to 65535");
            }
            port = newPort;
            return this;
        }

        /**
         * Limits the connections; 200 by default.
         *
         * @param connections 10 to 2000
         * @return this
         */
        public Builder maxConnections(int connections) {
            if (connections < 10 || connections > 2_000) {
                throw new IllegalArgumentException("max connections is " + connections + "; allowed are 10 to 2000");
            }
            maxConnections = connections;
            return this;
        }

        /**
         * Sets a server setting, as in {@code postgresql.conf}.
         *
         * @param name the setting's name
         * @param value its value
         * @return this
         * @throws IllegalArgumentException if it is one that durability rests on
         */
        public Builder setting(String name, String value) {
            if (FIXED.containsKey(name)) {
                throw new IllegalArgumentException("setting " + name + " is always " + FIXED.get(name));
            }
            settings.put(name, value);
            return this;
        }

        /**
         * Starts the server.
         *
         * @return the running server
         * @throws IllegalStateException if another process uses the directory, or the server doesn't start
         */
        public EmbeddedDatabase start() {
            Map<String, String> all = new LinkedHashMap<>(Map.of(
                    "max_connections",
                    Integer.toString(maxConnections),
                    "unix_socket_directories",
                    "",
                    "timezone",
                    "UTC"));
            // A test's process that is stopped in a transaction must not hold its locks for ever.
            all.put("idle_in_transaction_session_timeout", "30s");
            all.put("max_prepared_transactions", "64");
            all.putAll(settings);
            all.putAll(FIXED);
            try {
                Path root = directory == null
                        ? temporary()
                        : Files.createDirectories(directory.toAbsolutePath().normalize());
                EmbeddedDatabase database =
                        new EmbeddedDatabase(root, directory != null, own(root), Map.copyOf(all), port);
                database.begin();
                return database;
            } catch (IOException failure) {
                throw new UncheckedIOException("could not use a directory for the database", failure);
            }
        }

        private Path temporary() throws IOException {
            boolean roomy = inMemory
                    && Files.isWritable(MEMORY)
                    && Files.getFileStore(MEMORY).getUsableSpace() >= MEMORY_BYTES_MIN;
            return roomy
                    ? Files.createTempDirectory(MEMORY, "hapax-database")
                    : Files.createTempDirectory("hapax-database");
        }

        private static FileChannel own(Path root) throws IOException {
            FileChannel channel = FileChannel.open(
                    root.resolve("postgresql.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                FileLock fileLock = channel.tryLock();
                if (fileLock != null) {
                    return channel;
                }
            } catch (OverlappingFileLockException heldHere) {
                channel.close();
                throw new IllegalStateException(
                        "the database in " + root + " is already open in this process", heldHere);
            }
            channel.close();
            throw new IllegalStateException("the database in " + root + " is in use by another process");
        }
    }
}
