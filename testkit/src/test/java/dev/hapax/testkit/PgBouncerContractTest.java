package dev.hapax.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class PgBouncerContractTest {
    @Test
    void two_clients_share_one_session_between_their_transactions() throws SQLException {
        try (TestDatabase database = EmbeddedDatabase.shared().createDatabase();
                PgBouncer bouncer = PgBouncer.before(database.server(), 1);
                Connection one = bouncer.dataSource(database).getConnection();
                Connection two = bouncer.dataSource(database).getConnection()) {
            assertThat(session(one)).isEqualTo(session(two));
        }
    }

    @Test
    void its_clients_lose_their_connections_when_it_is_closed() throws SQLException {
        try (TestDatabase database = EmbeddedDatabase.shared().createDatabase()) {
            PgBouncer bouncer = PgBouncer.before(database.server(), 2);
            try (Connection client = bouncer.dataSource(database).getConnection()) {
                session(client);
                bouncer.close();
                assertThatThrownBy(() -> session(client)).isInstanceOf(SQLException.class);
            }
        }
    }

    private static long session(Connection connection) throws SQLException {
        try (ResultSet rows = connection.createStatement().executeQuery("SELECT pg_backend_pid()")) {
            rows.next();
            return rows.getLong(1);
        }
    }
}
