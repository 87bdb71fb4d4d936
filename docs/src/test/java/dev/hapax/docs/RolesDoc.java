package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.once.Verdict;
import dev.hapax.schema.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

class RolesDoc {

    @Test
    void a_service_without_rights_to_change_tables() throws SQLException {
        try (ShopDatabase shop = ShopDatabase.empty()) {
            DataSource owner = shop.database.dataSource();
            String role = "doc_" + shop.database.name();
            shop.database.execute("CREATE ROLE " + role + " LOGIN");
            DataSource service = shop.database.dataSourceAs(role);
            // tag::apply[]
            Schema.on(owner).apply();
            String grants = Schema.grants(role);
            // end::apply[]
            try (Connection connection = owner.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute(grants);
                // tag::check[]
                List<String> missing = Schema.on(service).check(); // empty: all is there and may be used
                // end::check[]
                assertThat(missing).isEmpty();
                assertThatThrownBy(() -> shop.database
                                .dataSourceAs(role)
                                .getConnection()
                                .createStatement()
                                .execute("CREATE TABLE hapax.mine (id int)"))
                        .hasMessageContaining("permission denied");
                // tag::open[]
                Hapax hapax = Hapax.on(service)
                        .name("checkout")
                        .housekeeping(false) // another process, or ./hapax housekeep, does it
                        .open();
                // end::open[]
                Key key = Key.of("orders.place", "A-1").at(Instant.now().minus(Duration.ofDays(9)));
                assertThat(hapax.once(key).run(tx -> {})).isEqualTo(Verdict.APPLIED);
                hapax.close();
                statement.execute("DROP OWNED BY " + role + "; DROP ROLE " + role);
            }
        }
    }
}
