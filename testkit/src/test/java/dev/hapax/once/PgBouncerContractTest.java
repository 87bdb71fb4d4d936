package dev.hapax.once;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.PgBouncer;
import dev.hapax.testkit.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A pooler in transaction mode gives each transaction another session: nothing may rest on session state. */
@Tag("slow")
class PgBouncerContractTest {

    @Test
    void once_and_the_log_work_without_session_state() throws Exception {
        try (EmbeddedDatabase server = EmbeddedDatabase.start();
                TestDatabase database = server.createDatabase();
                PgBouncer bouncer = PgBouncer.before(server, 2)) {
            Shop.prepare(database);
            DataSource pooled = bouncer.dataSource(database);
            List<Key> keys = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                keys.add(i % 2 == 0 ? Shop.newKey() : Key.of("orders", Shop.newId()));
            }
            try (Hapax hapax = Shop.builder(pooled).open();
                    var consumer = hapax.consumer("handled")
                            .topic("orders.placed")
                            .handle(String.class, (body, tx) -> Shop.effect(tx.connection(), "handled-" + body))
                            .start()) {
                List<CompletableFuture<Integer>> clients = new ArrayList<>();
                for (int client = 0; client < 6; client++) {
                    clients.add(Shop.async(() -> {
                        for (Key key : keys) {
                            hapax.once(key).matching(key.id()).run(tx -> {
                                Shop.effect(tx.connection(), key.id());
                                tx.publish("orders.placed", key.id(), key.id());
                            });
                            hapax.once(key.child("refused"))
                                    .refuseIfInProgress()
                                    .statement(
                                            "INSERT INTO effect (id, amount) SELECT ?, 1 FROM once", "s-" + key.id());
                        }
                        return keys.size();
                    }));
                }
                for (CompletableFuture<Integer> client : clients) {
                    client.handle((done, failure) -> failure).get(60, TimeUnit.SECONDS);
                }
                org.awaitility.Awaitility.await()
                        .until(() -> database.queryLong("SELECT count(*) FROM effect WHERE id LIKE 'handled-%'")
                                == keys.size());
                assertThat(consumer.name()).isEqualTo("handled");
            }
            for (Key key : keys) {
                assertThat(database.queryLong("SELECT count(*) FROM effect WHERE id = '" + key.id() + "'"))
                        .isEqualTo(1);
                assertThat(database.queryLong("SELECT count(*) FROM effect WHERE id = 'handled-" + key.id() + "'"))
                        .isEqualTo(1);
            }
            assertThat(database.queryLong(
                            "SELECT count(*) FROM (SELECT id FROM effect GROUP BY id HAVING count(*) > 1) twice"))
                    .isZero();
        }
    }
}
