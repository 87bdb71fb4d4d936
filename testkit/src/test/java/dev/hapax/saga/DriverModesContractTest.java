package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A commit that travels with the last statement before it, whatever way the driver has of talking: what is stale is not committed, and nothing is left open. */
class DriverModesContractTest {

    /** Beyond the number of uses from which a driver prepares a statement at the server. */
    private static final int SAGAS = 8;

    private static final String STEAL = "UPDATE hapax.saga SET token = token + 1, owner = gen_random_uuid(),"
            + " due_at = clock_timestamp() WHERE key = '";

    private static HikariDataSource pool(TestDatabase database, String mode) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.jdbcUrl() + (database.jdbcUrl().contains("?") ? "&" : "?") + mode);
        config.setAutoCommit(!mode.isEmpty());
        config.setMaximumPoolSize(8);
        return new HikariDataSource(config);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "prepareThreshold=5",
                "preferQueryMode=simple",
                "autosave=always",
                "autosave=conservative&cleanupSavepoints=true"
            })
    void what_is_stale_is_not_committed_and_what_is_not_is(String mode) throws SQLException {
        try (TestDatabase database = EmbeddedDatabase.shared().createDatabase()) {
            Shop.prepare(database);
            try (HikariDataSource pool = pool(database, mode);
                    Hapax hapax = Shop.builder(pool).open()) {
                sagas(database, hapax);
            }
            for (String step : new String[] {"reserve", "pay", "ship"}) {
                assertThat(database.queryLong("SELECT count(*) FROM effect WHERE id = '" + step + "'"))
                        .as(step)
                        .isEqualTo(SAGAS);
            }
            assertThat(database.queryLong("SELECT count(*) FROM hapax.log")).isEqualTo(SAGAS);
            assertThat(database.queryLong("SELECT count(*) FROM hapax.saga_ended WHERE losses > 0"))
                    .isEqualTo(SAGAS - 2);
        }
    }

    /** All but the first two lose their owner while they are in a step: every other time in the last one. */
    private static void sagas(TestDatabase database, Hapax hapax) throws SQLException {
        AtomicInteger steps = new AtomicInteger();
        hapax.saga("fulfil", String.class).run((saga, wanted) -> {
            for (String step : new String[] {"reserve", "pay", "ship"}) {
                saga.step(step, tx -> {
                            Shop.effect(tx.connection(), step);
                            if (step.equals(wanted) && steps.getAndIncrement() == 0) {
                                steal(database, saga.key());
                            }
                        })
                        .run();
            }
        });
        for (int n = 0; n < SAGAS; n++) {
            steps.set(0);
            String stolenIn = n < 2 ? "nothing" : n % 2 == 0 ? "pay" : "ship";
            assertThat(hapax.sagas().complete("fulfil", Shop.newKey(), stolenIn, Void.class, Duration.ofSeconds(20)))
                    .isInstanceOf(SagaResult.Completed.class);
            hapax.once(Shop.newKey()).run(tx -> tx.publish("told", "k", "once"));
        }
        assertThat(database.queryLong("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        + " AND state LIKE 'idle in transaction%'"))
                .isZero();
    }

    private static void steal(TestDatabase database, Key key) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            assertThat(statement.executeUpdate(STEAL + key.id() + "'")).isEqualTo(1);
        }
    }
}
