package dev.hapax.claim;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.claim.ClaimResult.InDoubt;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A call ends in time, and what it ends with can be written. */
class ClaimLimitContractTest {

    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int CONNECTIONS = 3;

    private final Key key = Key.generate("payments.charge");
    private Shop shop;
    private HikariDataSource pool;
    private Hapax hapax;

    @BeforeEach
    void open() {
        shop = Shop.open();
        pool = new HikariDataSource();
        pool.setJdbcUrl(shop.database.jdbcUrl());
        pool.setMaximumPoolSize(CONNECTIONS);
        hapax = Shop.builder(pool).housekeeping(false).open();
    }

    @AfterEach
    void close() {
        hapax.close();
        pool.close();
        shop.close();
    }

    @Test
    void a_call_is_interrupted_in_time_while_no_connection_to_our_database_is_to_be_had() {
        ClaimResult<String> result = hapax.claim(key)
                .policy(CallPolicy.notIdempotent().lease(Duration.ofMillis(500)).callWithin(Duration.ofSeconds(1)))
                .perform(call -> {
                    List<Connection> all = new ArrayList<>();
                    try {
                        for (int i = 0; i < CONNECTIONS; i++) {
                            all.add(pool.getConnection());
                        }
                        // Shorter than what whoever wants a connection waits for it.
                        return new CountDownLatch(1).await(15, TimeUnit.SECONDS) ? "done" : "not interrupted";
                    } finally {
                        for (Connection one : all) {
                            one.close();
                        }
                    }
                })
                .settleWithin(SOON);
        assertThat(result)
                .isInstanceOfSatisfying(
                        InDoubt.class, doubt -> assertThat(doubt.lastError()).startsWith("interrupted after PT1S"));
    }

    @Test
    void a_question_that_fails_with_a_long_message_is_noted_as_far_as_there_is_room() throws Exception {
        ClaimResult<String> result = hapax.claim(key)
                .policy(CallPolicy.notIdempotent()
                        .backoff(Duration.ofMillis(1), Duration.ofMillis(1))
                        .attempts(1))
                .perform(call -> {
                    throw new java.io.IOException("connection reset");
                })
                .probe(call -> {
                    throw new java.io.IOException("503 ".repeat(500));
                })
                .settleWithin(Duration.ofMillis(300));
        assertThat(result).isInstanceOf(InDoubt.class);
        ClaimResult<String> asked = hapax.claim(key)
                .policy(CallPolicy.notIdempotent().attempts(1))
                .perform(call -> "charged")
                .probe(call -> {
                    throw new java.io.IOException("503 ".repeat(500));
                })
                .settleWithin(Duration.ofMillis(300));
        assertThat(asked).isInstanceOf(InDoubt.class);
        assertThat(
                        shop.database.queryLong(
                                "SELECT count(*) FROM hapax.claim WHERE char_length(last_error) = 1000 AND last_error LIKE 'asking failed: %'"))
                .isEqualTo(1);
    }
}
