package dev.hapax.testkit.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.LimitedDisk;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each outage on its own: what a client sees while it lasts, and that all is well when it is over. */
@Tag("slow")
class OutageContractTest {

    @ParameterizedTest
    @EnumSource(value = Outage.class, mode = EnumSource.Mode.EXCLUDE, names = "DISK_FULL")
    void begins_and_ends_and_the_site_works_again(Outage outage) throws SQLException {
        try (EmbeddedDatabase server =
                        EmbeddedDatabase.builder().inMemory().maxConnections(20).start();
                Site site = Site.of(server)) {
            site.database("shop").execute("CREATE TABLE effect AS SELECT 1 AS id");
            try (Injection injection = outage.prepare(site, 42)) {
                injection.begin();
                injection.end();
            }
            try (Connection connection = DriverManager.getConnection(site.jdbcUrl("shop"))) {
                connection.createStatement().execute("INSERT INTO effect VALUES (2)");
            }
            assertThat(site.database("shop").queryLong("SELECT count(*) FROM effect"))
                    .isEqualTo(2);
            assertThat(outage.title()).isNotBlank();
        }
    }

    @Test
    void a_full_disk_refuses_rows_and_takes_them_again() throws SQLException {
        try (Site site = Site.on(LimitedDisk.open(400), EmbeddedDatabase.builder())) {
            site.database("shop").execute("CREATE TABLE effect (body text)");
            String insert = "INSERT INTO effect SELECT repeat('x', 1000) FROM generate_series(1, 2000)";
            try (Injection injection = Outage.DISK_FULL.prepare(site, 0)) {
                injection.begin();
                assertThatThrownBy(() -> {
                            for (int i = 0; i < 100; i++) {
                                site.server().database("shop").execute(insert);
                            }
                        })
                        .isInstanceOf(SQLException.class)
                        .satisfies(failure -> assertThat(((SQLException) failure).getSQLState())
                                .startsWith("53"));
                injection.end();
            }
            site.database("shop").execute(insert);
        }
    }

    @Test
    void a_site_without_such_a_disk_says_so() {
        try (Site site = Site.of(EmbeddedDatabase.shared())) {
            assertThat(Outage.DISK_FULL.problem(site)).isPresent();
            assertThatThrownBy(() -> Outage.DISK_FULL.prepare(site, 0)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void no_connection_is_left_while_somebody_takes_them_all() {
        try (EmbeddedDatabase server =
                        EmbeddedDatabase.builder().inMemory().maxConnections(20).start();
                Site site = Site.of(server);
                Injection injection = Outage.OUT_OF_CONNECTIONS.prepare(site, 0)) {
            injection.begin();
            assertThatThrownBy(() -> DriverManager.getConnection(site.jdbcUrl("postgres")))
                    .isInstanceOf(SQLException.class)
                    .satisfies(failure ->
                            assertThat(((SQLException) failure).getSQLState()).isEqualTo("53300"));
            injection.end();
            await().ignoreExceptions().until(() -> {
                DriverManager.getConnection(site.jdbcUrl("postgres")).close();
                return true;
            });
        }
    }
}
