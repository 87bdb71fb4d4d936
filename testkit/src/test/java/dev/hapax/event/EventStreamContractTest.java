package dev.hapax.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.Shop;
import dev.hapax.VersionConflictException;
import dev.hapax.internal.ChildIds;
import dev.hapax.once.Result;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Streams in a real database; what was appended is counted in rows. */
@Tag("slow")
class EventStreamContractTest {

    private Shop shop;
    private EventStream stream;

    @BeforeEach
    void open() {
        shop = Shop.open();
        stream = shop.hapax.events("account/" + Shop.newId());
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private long rows() throws SQLException {
        return shop.database.queryLong(
                "SELECT count(*) FROM hapax.event e JOIN hapax.event_stream s ON s.id = e.stream WHERE s.name = '"
                        + stream.name() + "'");
    }

    @Test
    void events_are_appended_at_the_expected_version_and_read_in_order() {
        Key key = Shop.newKey();
        assertThat(stream.version()).isZero();
        Result<Long> appended = stream.append(key).expecting(0).events("opened", "deposited 10");
        assertThat(appended).isEqualTo(new Result.Applied<>(2L));
        assertThat(stream.append(Shop.newKey())
                        .expecting(2)
                        .events("deposited 5")
                        .value())
                .isEqualTo(3);
        assertThat(stream.version()).isEqualTo(3);
        List<Event> all = stream.read(1, 10);
        assertThat(all).extracting(Event::version).containsExactly(1L, 2L, 3L);
        assertThat(all.stream().map(event -> event.as(String.class)))
                .containsExactly("opened", "deposited 10", "deposited 5");
        assertThat(all.getFirst().operation()).isEqualTo(key.producer("shop"));
        assertThat(all.getFirst().id()).isEqualTo(ChildIds.own(key.producer("shop"), "event/1"));
        assertThat(all).isSortedAccordingTo(java.util.Comparator.comparingLong(Event::position));
        assertThat(stream.read(3, 10)).extracting(Event::version).containsExactly(3L);
        assertThat(stream.read(4, 10)).isEmpty();
    }

    @Test
    void a_repeat_changes_nothing_and_gets_the_version_of_the_first_time() throws Exception {
        Key key = Shop.newKey();
        stream.append(key).expecting(0).events("opened", "deposited 10");
        stream.append(Shop.newKey()).expecting(2).events("deposited 5");
        Result<Long> again = stream.append(key).expecting(0).events("opened", "deposited 10");
        assertThat(again.isApplied()).isFalse();
        assertThat(again.value()).isEqualTo(2);
        assertThat(rows()).isEqualTo(3);
    }

    @Test
    void a_wrong_version_is_told_with_the_actual_one_and_nothing_is_written() throws Exception {
        stream.append(Shop.newKey()).expecting(0).events("opened");
        Key key = Shop.newKey();
        for (long wrong : new long[] {0, 2, 7}) {
            assertThatThrownBy(() -> stream.append(key).expecting(wrong).events("one", "two"))
                    .asInstanceOf(InstanceOfAssertFactories.type(VersionConflictException.class))
                    .satisfies(conflict -> {
                        assertThat(conflict.stream()).isEqualTo(stream.name());
                        assertThat(conflict.expected()).isEqualTo(wrong);
                        assertThat(conflict.actual()).isEqualTo(1);
                        assertThat(conflict.code()).isEqualTo("version-conflict");
                    });
        }
        assertThatThrownBy(() -> shop.hapax
                        .events(stream.name() + "/none")
                        .append(key)
                        .expecting(4)
                        .events("one"))
                .hasMessageContaining("is at version 0");
        assertThat(rows()).isEqualTo(1);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.marker WHERE key = '" + key.id() + "'"))
                .isZero();
        assertThat(stream.append(key).expecting(1).events("one").value()).isEqualTo(2);
    }

    @Test
    void who_must_not_decide_on_a_version_says_so() {
        assertThat(stream.append(Shop.newKey()).expectingAny().events("a", "b").value())
                .isEqualTo(2);
        assertThat(stream.append(Shop.newKey()).expectingAny().events("c").value())
                .isEqualTo(3);
        assertThatThrownBy(() -> stream.append(Shop.newKey()).events("d"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("expecting(version)");
        assertThatThrownBy(() -> stream.append(Shop.newKey()).expectingAny().events(List.of()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_key_of_another_operation_is_refused() throws Exception {
        Key key = Shop.newKey();
        stream.append(key).expecting(0).matching("open 4711").events("opened");
        assertThatThrownBy(() ->
                        stream.append(key).expecting(0).matching("open 4712").events("opened"))
                .isInstanceOf(KeyReusedException.class);
        assertThatThrownBy(() -> shop.hapax
                        .events(stream.name() + "/other")
                        .append(key)
                        .expecting(0)
                        .events("opened"))
                .isInstanceOf(KeyReusedException.class)
                .hasMessageContaining("appended to stream " + stream.name());
        Key plain = Shop.newKey();
        shop.hapax.once(plain).run(tx -> {});
        assertThatThrownBy(() -> stream.append(plain).expecting(1).events("deposited"))
                .isInstanceOf(KeyReusedException.class)
                .hasMessageContaining("was no append");
        assertThat(rows()).isEqualTo(1);
    }

    @Test
    void concurrent_appenders_decide_again_and_no_version_is_decided_twice() throws Exception {
        int threads = 6;
        int each = 20;
        CountDownLatch start = new CountDownLatch(1);
        List<CompletableFuture<Integer>> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            all.add(Shop.async(() -> {
                start.await();
                int conflicts = 0;
                for (int n = 0; n < each; n++) {
                    conflicts += appendWhateverHappens(Shop.newKey());
                }
                return conflicts;
            }));
        }
        start.countDown();
        for (CompletableFuture<Integer> one : all) {
            one.get();
        }
        assertThat(rows()).isEqualTo((long) threads * each);
        assertThat(stream.version()).isEqualTo((long) threads * each);
        List<Event> events = stream.read(1, 1000);
        assertThat(events)
                .allSatisfy(
                        event -> assertThat(event.as(String.class)).isEqualTo("decided on " + (event.version() - 1)));
        assertThat(events).isSortedAccordingTo(java.util.Comparator.comparingLong(Event::position));
    }

    private int appendWhateverHappens(Key key) {
        long version = stream.version();
        for (int conflicts = 0; ; conflicts++) {
            try {
                stream.append(key).expecting(version).events("decided on " + version);
                return conflicts;
            } catch (VersionConflictException conflict) {
                version = conflict.actual();
            }
        }
    }

    @Test
    void one_key_at_once_is_appended_once() throws Exception {
        Key key = Shop.newKey();
        CountDownLatch start = new CountDownLatch(1);
        List<CompletableFuture<Result<Long>>> all = new ArrayList<>();
        for (int t = 0; t < 6; t++) {
            all.add(Shop.async(() -> {
                start.await();
                return stream.append(key).expecting(0).events("opened", "deposited");
            }));
        }
        start.countDown();
        int applied = 0;
        for (CompletableFuture<Result<Long>> one : all) {
            assertThat(one.get().value()).isEqualTo(2);
            applied += one.get().isApplied() ? 1 : 0;
        }
        assertThat(applied).isEqualTo(1);
        assertThat(rows()).isEqualTo(2);
    }

    @Test
    void rows_and_events_of_a_joined_transaction_commit_together() throws Exception {
        Key key = Shop.newKey();
        shop.hapax.once(key).run(tx -> {
            Shop.effect(tx.connection(), key.id());
            stream.on(tx.connection())
                    .append(tx.key().child("events"))
                    .expecting(0)
                    .events("opened");
        });
        assertThat(rows()).isEqualTo(1);
        assertThat(shop.effects(key)).isEqualTo(1);

        Key late = Shop.newKey();
        try (Connection connection = shop.pool.getConnection()) {
            connection.setAutoCommit(false);
            Shop.effect(connection, late.id());
            assertThatThrownBy(() ->
                            stream.on(connection).append(late).expecting(0).events("opened"))
                    .isInstanceOf(VersionConflictException.class)
                    .hasMessageContaining("is at version 1");
            connection.commit();
        }
        assertThat(shop.effects(late)).as("a doomed transaction rolls back").isZero();
        assertThat(rows()).isEqualTo(1);
    }

    @Test
    void a_page_is_bounded_by_bytes_and_never_empty_before_the_end() {
        String large = "x".repeat(1_000_000);
        for (int n = 0; n < 12; n++) {
            stream.append(Shop.newKey()).expecting(n).events(large);
        }
        long next = 1;
        int pages = 0;
        while (true) {
            List<Event> page = stream.read(next, 1000);
            if (page.isEmpty()) {
                break;
            }
            assertThat(page).hasSizeLessThanOrEqualTo(9);
            next = page.getLast().version() + 1;
            pages++;
        }
        assertThat(next).isEqualTo(13);
        assertThat(pages).isEqualTo(2);
    }
}
