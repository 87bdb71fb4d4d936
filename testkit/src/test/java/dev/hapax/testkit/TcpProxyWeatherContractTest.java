package dev.hapax.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Shop;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What lasts: a network that is slow, stands still, swallows, or tells the end of a connection late. */
@Tag("slow")
class TcpProxyWeatherContractTest {
    private TestDatabase database;
    private TcpProxy proxy;

    @BeforeEach
    void open() throws SQLException {
        database = EmbeddedDatabase.shared().createDatabase();
        database.execute("CREATE TABLE effect (id int PRIMARY KEY)");
        proxy = TcpProxy.to(database.server().port());
    }

    @AfterEach
    void close() {
        proxy.close();
        database.close();
    }

    @Test
    void a_slow_network_delays_each_way() throws SQLException {
        try (Connection connection = open(0)) {
            proxy.slow(Duration.ofMillis(40), Duration.ofMillis(10), 7);
            long since = System.nanoTime();
            query(connection, "SELECT 1");
            assertThat(Duration.ofNanos(System.nanoTime() - since)).isGreaterThanOrEqualTo(Duration.ofMillis(80));
            proxy.heal();
            query(connection, "SELECT 1");
        }
    }

    @Test
    void what_a_stalled_network_holds_back_arrives_late() throws Exception {
        try (Connection connection = open(0)) {
            connection.setAutoCommit(false);
            query(connection, "INSERT INTO effect VALUES (1) RETURNING id");
            proxy.stall(TcpProxy.Direction.TO_SERVER);
            CompletableFuture<Boolean> commit = Shop.async(() -> {
                connection.commit();
                return true;
            });
            assertThatThrownBy(() -> commit.get(100, TimeUnit.MILLISECONDS))
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            assertThat(effects()).isZero();
            proxy.heal();
            assertThat(commit.get(20, TimeUnit.SECONDS)).isTrue();
            assertThat(effects()).isEqualTo(1);
        }
    }

    @Test
    void a_half_open_connection_says_nothing_not_even_that_it_has_ended() throws SQLException {
        Connection connection = open(1);
        connection.setAutoCommit(false);
        query(connection, "INSERT INTO effect VALUES (1) RETURNING id");
        proxy.swallow(TcpProxy.Direction.BOTH);

        assertThatThrownBy(connection::commit).isInstanceOf(SQLException.class);
        assertThatThrownBy(() -> open(1)).isInstanceOf(SQLException.class);

        assertThat(connection.isClosed()).isTrue();
        assertThat(sessions("idle in transaction")).isEqualTo(1);
        proxy.heal();
        await().until(() -> sessions("idle in transaction") == 0);
        assertThat(effects()).isZero();
        open(0).close();
    }

    @Test
    void what_is_sent_takes_effect_when_only_the_answers_are_lost() throws SQLException {
        try (Connection connection = open(1)) {
            proxy.swallow(TcpProxy.Direction.TO_CLIENT);
            assertThatThrownBy(() -> query(connection, "INSERT INTO effect VALUES (1) RETURNING id"))
                    .isInstanceOf(SQLException.class);
            assertThat(effects()).isEqualTo(1);
        }
    }

    @Test
    void nothing_takes_effect_when_what_is_sent_is_lost() throws SQLException {
        try (Connection connection = open(1)) {
            proxy.swallow(TcpProxy.Direction.TO_SERVER);
            assertThatThrownBy(() -> query(connection, "INSERT INTO effect VALUES (1) RETURNING id"))
                    .isInstanceOf(SQLException.class);
        }
        proxy.heal();
        await().until(() -> sessions("idle") == 0);
        assertThat(effects()).isZero();
    }

    @Test
    void a_client_that_is_gone_keeps_its_session_while_ends_arrive_late() throws SQLException {
        Connection connection = open(0);
        connection.setAutoCommit(false);
        query(connection, "INSERT INTO effect VALUES (1) RETURNING id");
        proxy.closeSlowly(Duration.ofMinutes(1));

        proxy.abandonAll();

        assertThatThrownBy(connection::commit).isInstanceOf(SQLException.class);
        assertThat(sessions("idle in transaction")).isEqualTo(1);
        proxy.heal();
        await().until(() -> sessions("idle in transaction") == 0);
    }

    @Test
    void new_connections_go_to_another_server_after_a_failover() throws Exception {
        try (EmbeddedDatabase other = EmbeddedDatabase.builder().inMemory().start()) {
            other.database(database.name()).execute("CREATE TABLE elsewhere (id int)");
            proxy.retarget(other.port());
            try (Connection connection = open(0)) {
                query(connection, "SELECT count(*) FROM elsewhere");
            }
        }
    }

    private Connection open(int socketTimeoutSeconds) throws SQLException {
        PGSimpleDataSource source = (PGSimpleDataSource) database.dataSourceAt(proxy.port());
        source.setSocketTimeout(socketTimeoutSeconds);
        source.setLoginTimeout(socketTimeoutSeconds);
        return source.getConnection();
    }

    private static void query(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
        }
    }

    private long effects() throws SQLException {
        return database.queryLong("SELECT count(*) FROM effect");
    }

    private long sessions(String state) throws SQLException {
        return database.queryLong("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                + " AND pid <> pg_backend_pid() AND state = '" + state + "'");
    }
}
