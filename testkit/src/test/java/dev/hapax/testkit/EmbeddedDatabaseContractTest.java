package dev.hapax.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class EmbeddedDatabaseContractTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void is_durable_and_listens_on_the_loopback_interface_only() throws SQLException {
        try (TestDatabase database = EmbeddedDatabase.shared().createDatabase()) {
            assertThat(setting(database, "fsync")).isEqualTo("on");
            assertThat(setting(database, "synchronous_commit")).isEqualTo("on");
            assertThat(setting(database, "full_page_writes")).isEqualTo("on");
            assertThat(setting(database, "max_prepared_transactions")).isEqualTo("64");
            assertThat(setting(database, "wal_level")).isEqualTo("logical");
            assertThat(setting(database, "listen_addresses")).isEqualTo("127.0.0.1");
            assertThat(setting(database, "unix_socket_directories")).isEmpty();
        }
    }

    @Test
    void refuses_to_give_durability_up() {
        assertThatThrownBy(() -> EmbeddedDatabase.builder().setting("fsync", "off"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("setting fsync is always on");
    }

    @Test
    void gives_each_test_class_a_database_of_its_own_and_drops_it() throws SQLException {
        EmbeddedDatabase server = EmbeddedDatabase.shared();
        TestDatabase one = server.createDatabase();
        try (TestDatabase two = server.createDatabase()) {
            one.execute("CREATE TABLE only_here (id int)");
            assertThat(two.queryLong("SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'"))
                    .isZero();
            HikariDataSource pool = one.pooled(2);

            one.close();

            assertThat(pool.isClosed()).isTrue();
            assertThat(two.queryLong("SELECT count(*) FROM pg_database WHERE datname = '" + one.name() + "'"))
                    .isZero();
        }
    }

    @Test
    void keeps_its_data_where_it_is_told_and_finds_it_again() throws SQLException {
        try (EmbeddedDatabase server =
                EmbeddedDatabase.builder().directory(directory).start()) {
            server.database("shop").execute("CREATE TABLE kept AS SELECT 42 AS answer");
        }
        try (EmbeddedDatabase server =
                EmbeddedDatabase.builder().directory(directory).start()) {
            assertThat(server.database("shop").queryLong("SELECT answer FROM kept"))
                    .isEqualTo(42);
        }
    }

    @Test
    void leaves_no_process_and_no_directory_behind() throws SQLException {
        EmbeddedDatabase server = EmbeddedDatabase.start();
        long backend = server.database().queryLong("SELECT pg_backend_pid()");
        Path data = Path.of(setting(server.database(), "data_directory"));

        server.close();

        assertThat(ProcessHandle.of(backend).filter(ProcessHandle::isAlive)).isEmpty();
        assertThat(data.getParent()).doesNotExist();
    }

    @Test
    void recovers_what_was_committed_when_it_is_killed() throws SQLException {
        try (EmbeddedDatabase server = EmbeddedDatabase.start()) {
            TestDatabase database = server.database();
            database.execute("CREATE TABLE survivor (id int)");
            int port = server.port();
            try (Connection open = server.dataSource().getConnection()) {
                open.setAutoCommit(false);
                open.createStatement().execute("INSERT INTO survivor VALUES (1)");
                database.execute("INSERT INTO survivor VALUES (2)");

                server.kill9();

                assertThat(server.isRunning()).isFalse();
                assertThatThrownBy(open::commit).isInstanceOf(SQLException.class);
            }
            server.restart();
            assertThat(server.port()).isEqualTo(port);
            assertThat(database.queryLong("SELECT sum(id) FROM survivor")).isEqualTo(2);
        }
    }

    @Test
    void stops_and_comes_back() throws SQLException {
        try (EmbeddedDatabase server = EmbeddedDatabase.start()) {
            server.stop();
            assertThat(server.isRunning()).isFalse();
            assertThatThrownBy(() -> server.dataSource().getConnection()).isInstanceOf(SQLException.class);
            server.restart();
            assertThat(server.database().queryLong("SELECT 1")).isEqualTo(1);
        }
    }

    @Test
    void takes_over_from_a_jvm_that_was_killed() throws Exception {
        try (ChildJvm owner = holder()) {
            owner.awaitLine("ready", PATIENCE);
            owner.kill9();

            try (EmbeddedDatabase server =
                    EmbeddedDatabase.builder().directory(directory).start()) {
                assertThat(server.database().queryLong("SELECT answer FROM kept"))
                        .isEqualTo(7);
            }
        }
    }

    @Test
    void a_server_whose_jvm_was_killed_stops_and_a_temporary_directory_goes() throws Exception {
        try (ChildJvm owner = ChildJvm.of(Holder.class).start()) {
            String line = owner.awaitLine("ready ", PATIENCE);
            Path root = Path.of(line.substring("ready ".length()));
            ProcessHandle server = ProcessHandle.of(
                            Long.parseLong(Files.readAllLines(root.resolve("postgresql/postmaster.pid"))
                                    .getFirst()))
                    .orElseThrow();

            owner.kill9();

            await().atMost(PATIENCE).untilAsserted(() -> {
                assertThat(Processes.alive(server)).isFalse();
                assertThat(root).doesNotExist();
            });
        }
    }

    @Test
    void does_not_take_over_from_a_jvm_that_lives() throws Exception {
        try (ChildJvm owner = holder()) {
            owner.awaitLine("ready", PATIENCE);

            assertThatThrownBy(() ->
                            EmbeddedDatabase.builder().directory(directory).start())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the database in " + directory + " is in use by another process");

            owner.terminate();
            owner.awaitExit(PATIENCE);
            assertThat(directory.resolve("postgresql/postmaster.pid"))
                    .as("the server's, after: %s", owner.lines())
                    .doesNotExist();
        }
    }

    @Test
    void says_why_it_does_not_start() {
        assertThatThrownBy(() -> EmbeddedDatabase.builder()
                        .directory(directory)
                        .setting("shared_buffers", "nonsense")
                        .start())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("invalid value for parameter \"shared_buffers\"");
        assertThat(Files.exists(directory.resolve("postgresql/postmaster.pid"))).isFalse();
    }

    private ChildJvm holder() {
        return ChildJvm.of(Holder.class).arguments(directory.toString()).start();
    }

    private static String setting(TestDatabase database, String name) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                ResultSet rows = connection.createStatement().executeQuery("SHOW " + name)) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** Owns a database until it is killed. */
    static final class Holder {
        public static void main(String[] args) throws Exception {
            EmbeddedDatabase.Builder builder = EmbeddedDatabase.builder();
            EmbeddedDatabase server = (args.length == 0 ? builder : builder.directory(Path.of(args[0]))).start();
            server.database().execute("CREATE TABLE kept AS SELECT 7 AS answer");
            System.out.println("ready " + Path.of(server.toString().replaceFirst(".* on ", "")));
            ChildJvm.endWithParent();
            Thread.currentThread().join();
        }
    }
}
