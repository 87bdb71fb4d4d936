package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.once.Verdict;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.PgBouncer;
import dev.hapax.testkit.TestDatabase;
import java.sql.SQLException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class PgBouncerDoc {

    @Test
    void a_pool_before_a_pooler_in_transaction_mode() throws SQLException {
        try (EmbeddedDatabase server = EmbeddedDatabase.start();
                TestDatabase database = server.createDatabase();
                PgBouncer bouncer = PgBouncer.before(server, 2)) {
            Schema.on(database.dataSource()).apply();
            String url = database.jdbcUrlAt(bouncer.port());
            // tag::pool[]
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(url);
            config.setMaximumPoolSize(10);
            config.addDataSourceProperty("prepareThreshold", "0"); // PgBouncer before 1.21
            // end::pool[]
            try (HikariDataSource pool = new HikariDataSource(config);
                    Hapax hapax = Hapax.on(pool).name("checkout").open()) {
                Key key = Key.generate("orders.place");
                for (int repeat = 0; repeat < 20; repeat++) {
                    assertThat(hapax.once(key).run(tx -> {}))
                            .isEqualTo(repeat == 0 ? Verdict.APPLIED : Verdict.REPLAYED);
                }
            }
        }
    }
}
