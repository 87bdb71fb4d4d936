package dev.hapax.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.Scope;
import dev.hapax.Shop;
import dev.hapax.StoreException;
import dev.hapax.TooLateException;
import dev.hapax.micrometer.MicrometerMetrics;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsContractTest {

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    private double operations(String ending) {
        return registry.get("hapax.operations")
                .tag("scope", "orders")
                .tag("ending", ending)
                .counter()
                .count();
    }

    private double messages(String handling) {
        return registry.get("hapax.consumer.messages")
                .tag("consumer", "c")
                .tag("handling", handling)
                .counter()
                .count();
    }

    @Test
    void every_series_is_there_at_zero_and_counts_what_happened_without_keys_as_tags() throws Exception {
        try (Shop shop = Shop.open(b -> b.metrics(MicrometerMetrics.on(registry))
                .scope(Scope.of("orders").ownedBy("team")))) {
            for (String ending :
                    List.of("applied", "replayed", "conflicting", "late", "early", "in_progress", "paused", "failed")) {
                assertThat(operations(ending)).isZero();
            }
            Key key = Shop.newKey();
            for (int i = 0; i < 3; i++) {
                shop.hapax.once(key).matching("a").run(tx -> tx.publish("t", "k", "body"));
            }
            assertThatThrownBy(() -> shop.hapax.once(key).matching("b").run(tx -> {}))
                    .isInstanceOf(KeyReusedException.class);
            assertThatThrownBy(() -> shop.hapax
                            .once(Key.of("orders", "x").at(Instant.now().minus(Duration.ofDays(99))))
                            .run(tx -> {}))
                    .isInstanceOf(TooLateException.class);
            shop.hapax.onceAll(List.of(key, Shop.newKey()), k -> k).run((fresh, tx) -> {});
            assertThat(operations("applied")).isEqualTo(2);
            assertThat(operations("replayed")).isEqualTo(3);
            assertThat(operations("conflicting")).isEqualTo(1);
            assertThat(operations("late")).isEqualTo(1);
            assertThat(registry.get("hapax.marker.write")
                            .tag("scope", "orders")
                            .timer()
                            .count())
                    .isPositive();
            assertThat(registry.get("hapax.pool.wait").timer().count()).isPositive();

            try (var consumer = shop.hapax
                    .consumer("c")
                    .topic("t")
                    .quarantineAfter(2)
                    .backoff(Duration.ofMillis(5), Duration.ofMillis(10))
                    .handle(String.class, (body, tx) -> {
                        if (body.equals("poison")) {
                            throw new IllegalStateException();
                        }
                    })
                    .start()) {
                for (String handling : List.of("retried", "waiting", "quarantined")) {
                    assertThat(messages(handling)).isZero();
                }
                shop.hapax.once(Shop.newKey()).run(tx -> {
                    tx.publish("t", "p", "poison");
                    tx.publish("t", "p", "behind");
                });
                await().until(() ->
                        messages("quarantined") == 1 && messages("waiting") == 1 && messages("applied") == 1);
                assertThat(messages("retried")).isEqualTo(1);
                assertThat(registry.get("hapax.consumer.attempts")
                                .tag("consumer", "c")
                                .summary()
                                .max())
                        .isEqualTo(2);
                await().until(() -> registry.get("hapax.consumer.lag.messages")
                                .tag("consumer", "c")
                                .gauge()
                                .value()
                        == 0);
                assertThat(consumer.lag().messages()).isZero();
            }
            for (Meter meter : registry.getMeters()) {
                assertThat(meter.getId().getTags())
                        .extracting(Tag::getValue)
                        .noneMatch(value -> value.contains(key.id()));
            }
        }
    }

    @Test
    void a_batch_that_is_not_applied_counts_each_of_its_operations() throws Exception {
        try (Shop shop =
                Shop.open(b -> b.metrics(MicrometerMetrics.on(registry)).scope(Scope.of("orders")))) {
            Key key = Shop.newKey();
            List<Key> keys = List.of(key, Shop.newKey());
            shop.hapax
                    .once(key)
                    .run(tx -> assertThatThrownBy(() -> shop.hapax
                                    .onceAll(keys, k -> k)
                                    .waitUpTo(Duration.ofSeconds(1))
                                    .run((fresh, other) -> {}))
                            .isInstanceOf(InProgressException.class));
            assertThat(operations("in_progress")).isEqualTo(2);
            shop.database.execute("ALTER TABLE effect ADD UNIQUE (id) DEFERRABLE INITIALLY DEFERRED");
            assertThatThrownBy(() -> shop.hapax.onceAll(keys, k -> k).run((fresh, tx) -> {
                        Shop.effect(tx.connection(), "same");
                        Shop.effect(tx.connection(), "same");
                    }))
                    .isInstanceOf(StoreException.class);
            assertThat(operations("failed")).isEqualTo(2);
        }
    }
}
