package dev.hapax.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

class TcpProxyContractTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

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
    void passes_everything_on_while_no_cut_is_armed() throws SQLException {
        for (int id = 0; id < 20; id++) {
            insert(id);
        }
        assertThat(effects()).isEqualTo(20);
        assertThat(proxy.cuts()).isZero();
    }

    @Test
    void a_commit_that_is_cut_before_it_is_sent_does_not_happen() throws Exception {
        proxy.cutBeforeCommitSent();

        assertThatThrownBy(() -> insert(1)).isInstanceOf(SQLException.class);

        proxy.awaitCuts(1, PATIENCE);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(sessions()).isZero());
        assertThat(effects()).isZero();
    }

    @Test
    void a_commit_that_is_cut_after_it_was_sent_happens_unheard() throws Exception {
        proxy.cutAfterCommitSent();

        assertThatThrownBy(() -> insert(1)).isInstanceOf(SQLException.class);

        proxy.awaitCuts(1, PATIENCE);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(effects()).isEqualTo(1));
    }

    @Test
    void a_commit_that_is_cut_when_answered_has_happened_when_the_client_looks() throws SQLException {
        proxy.cutAfterCommitAnswered();

        assertThatThrownBy(() -> insert(1)).isInstanceOf(SQLException.class);

        assertThat(effects()).isEqualTo(1);
        assertThat(proxy.cuts()).isEqualTo(1);
    }

    @Test
    void finds_a_commit_that_the_driver_has_prepared_before() throws SQLException {
        PGSimpleDataSource source = (PGSimpleDataSource) database.dataSourceAt(proxy.port());
        source.setPrepareThreshold(-1);
        try (Connection connection = source.getConnection()) {
            connection.setAutoCommit(false);
            for (int id = 0; id < 10; id++) {
                insert(connection, id);
            }
            proxy.cutAfterCommitAnswered();
            assertThatThrownBy(() -> insert(connection, 10)).isInstanceOf(SQLException.class);
        }
        assertThat(effects()).isEqualTo(11);
    }

    @Test
    void cuts_around_a_statement_of_choice_that_commits_by_itself() throws SQLException {
        proxy.cut(sql -> sql.startsWith("INSERT INTO effect"), TcpProxy.Moment.AFTER_ANSWERED);
        try (Connection connection = database.dataSourceAt(proxy.port()).getConnection()) {
            assertThatThrownBy(() -> connection
                            .prepareStatement("INSERT INTO effect VALUES (1)")
                            .execute())
                    .isInstanceOf(SQLException.class);
        }
        assertThat(effects()).isEqualTo(1);
    }

    @Test
    void takes_armed_cuts_one_by_one() throws SQLException {
        proxy.cutBeforeCommitSent();
        proxy.cutAfterCommitAnswered();

        assertThatThrownBy(() -> insert(1)).isInstanceOf(SQLException.class);
        assertThatThrownBy(() -> insert(2)).isInstanceOf(SQLException.class);
        insert(3);

        assertThat(database.queryLong("SELECT sum(id) FROM effect")).isEqualTo(5);
        assertThat(proxy.cuts()).isEqualTo(2);
    }

    @Test
    void loses_all_connections_and_takes_new_ones() throws SQLException {
        try (Connection connection = database.dataSourceAt(proxy.port()).getConnection()) {
            proxy.cutAll();
            assertThatThrownBy(() -> connection.createStatement().execute("SELECT 1"))
                    .isInstanceOf(SQLException.class);
        }
        insert(1);
        assertThat(effects()).isEqualTo(1);
    }

    @Test
    void refuses_new_connections_until_it_admits_them_again() throws SQLException {
        proxy.refuse();
        assertThatThrownBy(() -> insert(1)).isInstanceOf(SQLException.class);
        proxy.admit();
        insert(2);
        assertThat(effects()).isEqualTo(1);
    }

    private void insert(int id) throws SQLException {
        try (Connection connection = database.dataSourceAt(proxy.port()).getConnection()) {
            connection.setAutoCommit(false);
            insert(connection, id);
        }
    }

    private static void insert(Connection connection, int id) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO effect VALUES (?)")) {
            statement.setInt(1, id);
            statement.executeUpdate();
        }
        connection.commit();
    }

    private long effects() throws SQLException {
        return database.queryLong("SELECT count(*) FROM effect");
    }

    private long sessions() throws SQLException {
        return database.queryLong("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                + " AND pid <> pg_backend_pid()");
    }
}
