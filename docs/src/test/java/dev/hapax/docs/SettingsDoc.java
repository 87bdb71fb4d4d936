package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Scope;
import dev.hapax.micrometer.MicrometerMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

class SettingsDoc {

    @Test
    void the_settings_of_a_service() throws SQLException {
        try (ShopDatabase shop = ShopDatabase.create()) {
            DataSource dataSource = shop.pool;
            // tag::scope[]
            Scope charges = Scope.of("payments.charge")
                    .ownedBy("payments")
                    .runbook(URI.create("https://wiki.example/payments"))
                    .remember(Duration.ofDays(30)) // longer than any caller goes on trying
                    .keepOutcomes(Duration.ofDays(1));
            // end::scope[]
            MeterRegistry registry = new SimpleMeterRegistry();
            // tag::metrics[]
            Hapax hapax = Hapax.on(dataSource)
                    .name("checkout")
                    .scope(charges)
                    .metrics(MicrometerMetrics.on(registry))
                    .open();
            // end::metrics[]
            assertThat(registry.get("hapax.operations")
                            .tag("scope", "payments.charge")
                            .tag("ending", "applied")
                            .counter()
                            .count())
                    .isZero();
            hapax.close();
        }
    }
}
