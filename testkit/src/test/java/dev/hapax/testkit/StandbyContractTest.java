package dev.hapax.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two real servers, and a server that is put back in time. */
@Tag("slow")
class StandbyContractTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void a_standby_takes_over_with_what_it_had_received() throws Exception {
        try (EmbeddedDatabase primary = EmbeddedDatabase.builder().inMemory().start()) {
            primary.database().execute("CREATE TABLE effect AS SELECT 1 AS id");
            try (Standby standby = Standby.of(primary)) {
                primary.database().execute("INSERT INTO effect VALUES (2)");
                standby.awaitCaughtUp(PATIENCE);
                assertThat(ids(standby.server())).isEqualTo(2);
                assertThatThrownBy(() -> standby.server().database().execute("INSERT INTO effect VALUES (9)"))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("read-only");

                standby.stopReceiving();
                primary.database().execute("INSERT INTO effect VALUES (3)");
                primary.kill9();
                standby.promote();

                assertThat(ids(standby.server())).isEqualTo(2);
                standby.server().database().execute("INSERT INTO effect VALUES (4)");
                standby.server().restart();
                assertThat(ids(standby.server())).isEqualTo(3);
            }
        }
    }

    @Test
    void a_backup_holds_what_was_committed_when_it_was_finished_and_can_be_restored_again() throws Exception {
        try (EmbeddedDatabase server = EmbeddedDatabase.builder().inMemory().start()) {
            server.database().execute("CREATE TABLE effect AS SELECT 1 AS id");
            try (BaseBackup backup = server.backUp()) {
                for (int times = 0; times < 2; times++) {
                    server.database().execute("INSERT INTO effect VALUES (2)");
                    server.restore(backup);
                    assertThat(ids(server)).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void all_other_sessions_can_be_ended_and_the_server_stopped_at_once() throws Exception {
        try (EmbeddedDatabase server = EmbeddedDatabase.builder().inMemory().start();
                var connection = server.dataSource().getConnection()) {
            assertThat(server.terminateSessions()).isEqualTo(1);
            assertThatThrownBy(() -> connection.createStatement().execute("SELECT 1"))
                    .isInstanceOf(SQLException.class);
            server.database().execute("CREATE TABLE effect AS SELECT 1 AS id");
            server.stopImmediately();
            assertThat(server.isRunning()).isFalse();
            server.restart();
            assertThat(ids(server)).isEqualTo(1);
        }
    }

    private static long ids(EmbeddedDatabase server) throws SQLException {
        return server.database().queryLong("SELECT count(*) FROM effect");
    }
}
