package dev.hapax.once;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Scope;
import dev.hapax.Shop;
import dev.hapax.testkit.TestDatabase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** More callers than connections, of a service that has just been opened: nobody who holds a connection waits for another one. */
class SmallPoolRaceTest {

    private static final int CALLERS = 8;

    private TestDatabase database;
    private HikariDataSource pool;
    private Hapax hapax;

    @BeforeEach
    void open() {
        database = Shop.prepared();
        pool = database.pooled(2);
        // Those who wait for each other do so until this has passed, and are not tried again.
        pool.setConnectionTimeout(10_000);
        hapax = Shop.builder(pool)
                .housekeeping(false)
                .attempts(1)
                .remember(Duration.ofDays(30))
                .scope(Scope.of("short").remember(Duration.ofDays(30)).keepOutcomes(Duration.ofDays(7)))
                .open();
    }

    @AfterEach
    void close() {
        hapax.close();
        database.close();
    }

    @FunctionalInterface
    private interface Caller {
        void call(int nth) throws Exception;
    }

    private void all(Caller caller) throws Exception {
        CountDownLatch ready = new CountDownLatch(CALLERS);
        List<CompletableFuture<Integer>> calls = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            int nth = i;
            calls.add(Shop.async(() -> {
                ready.countDown();
                ready.await();
                caller.call(nth);
                return nth;
            }));
        }
        for (CompletableFuture<Integer> call : calls) {
            call.get(60, TimeUnit.SECONDS);
        }
    }

    private static Key daysAgo(String scope, int days) {
        return Key.of(scope, Shop.newId()).at(Instant.now().minus(Duration.ofDays(days)));
    }

    @Test
    void the_first_calls_of_a_service_need_one_connection_each() throws Exception {
        all(nth -> {
            Key key = Key.of("orders", Shop.newId());
            hapax.once(key).run(tx -> {
                Shop.effect(tx.connection(), key.id());
                tx.publish("t", "k", "body");
            });
        });
        assertThat(database.queryLong("SELECT count(*) FROM effect")).isEqualTo(CALLERS);
    }

    @Test
    void scopes_producers_and_days_that_are_new_need_no_second_connection() throws Exception {
        all(nth -> {
            Key key = daysAgo("scope-" + nth, nth + 1).producer("producer-" + nth);
            hapax.once(key, String.class).call(tx -> {
                Shop.effect(tx.connection(), key.id());
                return "answer";
            });
        });
        assertThat(database.queryLong("SELECT count(*) FROM effect")).isEqualTo(CALLERS);
    }

    @Test
    void an_answer_that_is_kept_by_itself_needs_no_second_connection() throws Exception {
        all(nth -> hapax.once(daysAgo("short", nth % 6), String.class).call(tx -> "answer"));
        assertThat(database.queryLong("SELECT count(*) FROM hapax.outcome_7")).isEqualTo(CALLERS);
    }

    @Test
    void batches_and_single_statements_need_no_second_connection() throws Exception {
        all(nth -> {
            Key key = daysAgo("scope-" + nth, nth + 1).producer("producer-" + nth);
            if (nth % 2 == 0) {
                hapax.once(key).statement("INSERT INTO effect (id, amount) SELECT ?, 1 FROM once", key.id());
            } else {
                hapax.onceAll(List.of(key), k -> k).run((fresh, tx) -> Shop.effect(tx.connection(), key.id()));
            }
        });
        assertThat(database.queryLong("SELECT count(*) FROM effect")).isEqualTo(CALLERS);
    }
}
