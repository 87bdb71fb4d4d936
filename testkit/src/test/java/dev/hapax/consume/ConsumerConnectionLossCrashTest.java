package dev.hapax.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Shop;
import dev.hapax.internal.consume.SteppedConsumer;
import dev.hapax.testkit.TcpProxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A consumer's connection is lost around a commit, and the process lives on. */
class ConsumerConnectionLossCrashTest extends ConsumerFixture {

    @Test
    void a_message_that_was_set_aside_by_a_commit_nobody_heard_of_is_tried_again_and_its_key_waits()
            throws SQLException {
        AtomicInteger tries = new AtomicInteger();
        publish("a", "1");
        publish("a", "2");
        try (TcpProxy proxy = TcpProxy.to(shop.database.server().port());
                HikariDataSource pool = shop.database.pooledAt(proxy.port(), 4);
                Hapax hapax = Shop.builder(pool).housekeeping(false).open()) {
            SteppedConsumer consumer = SteppedConsumer.of(hapax.consumer("one")
                    .topic(TOPIC)
                    .backoff(Duration.ofMillis(1), Duration.ofMillis(1))
                    .handle(String.class, (body, tx) -> {
                        handled(tx.connection(), tx.message().messageKey(), body);
                        if (body.equals("1") && tries.incrementAndGet() == 1) {
                            // The next commit is the one that sets this message aside.
                            proxy.cutAfterCommitSent();
                            throw new IllegalStateException("the first try fails");
                        }
                    }));
            consumer.keepLeases();
            assertThatThrownBy(consumer::work).isInstanceOf(SQLException.class);
            assertThat(proxy.cuts()).isPositive();
            await().pollInSameThread().until(() -> {
                consumer.work();
                return handled("a").size() == 2;
            });
            consumer.stop();
        }
        assertThat(handled("a")).containsExactly("1", "2");
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.held")).isZero();
    }
}
