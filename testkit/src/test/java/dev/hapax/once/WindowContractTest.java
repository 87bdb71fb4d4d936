package dev.hapax.once;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.SchemaException;
import dev.hapax.Scope;
import dev.hapax.Shop;
import dev.hapax.TooLateException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Retention: what is remembered for how long, and that nothing is applied after it, whatever clocks say. */
@Tag("slow")
class WindowContractTest {

    private static final Duration WINDOW = Duration.ofDays(30);

    private Shop shop;

    @BeforeEach
    void open() {
        shop = Shop.open(builder -> builder.remember(WINDOW));
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private Verdict apply(Key key) throws SQLException {
        return shop.hapax.once(key).run(tx -> Shop.effect(tx.connection(), key.id()));
    }

    private static Key aged(Duration age) {
        return Key.of("orders", Shop.newId()).at(Instant.now().minus(age));
    }

    @Test
    void a_key_just_inside_the_window_is_applied_once_and_one_just_outside_never() throws SQLException {
        Key inside = aged(WINDOW.minusMinutes(1));
        assertThat(apply(inside)).isEqualTo(Verdict.APPLIED);
        assertThat(apply(inside)).isEqualTo(Verdict.REPLAYED);
        // The database's clock is known to half a round trip, which on a busy machine is more than a millisecond.
        Key outside = aged(WINDOW.plusSeconds(1));
        assertThatThrownBy(() -> apply(outside))
                .isInstanceOf(TooLateException.class)
                .hasMessageContaining(outside.toString());
        assertThat(shop.effects(inside)).isEqualTo(1);
        assertThat(shop.effects(outside)).isZero();
    }

    @Test
    void keys_at_both_sides_of_a_day_meet_their_own_partitions() throws SQLException {
        Instant midnight =
                LocalDate.now(ZoneOffset.UTC).atStartOfDay(ZoneOffset.UTC).toInstant();
        for (Instant time : new Instant[] {midnight.minusMillis(1), midnight}) {
            Key key = Key.of("orders", Shop.newId()).at(time);
            assertThat(apply(key)).isEqualTo(Verdict.APPLIED);
            assertThat(apply(key)).isEqualTo(Verdict.REPLAYED);
            assertThat(shop.effects(key)).isEqualTo(1);
        }
        assertThat(shop.database.queryLong("SELECT count(DISTINCT day) FROM hapax.marker_30"))
                .isEqualTo(2);
    }

    @Test
    void a_process_whose_clock_is_an_hour_off_judges_by_the_database() throws SQLException {
        for (Duration skew : new Duration[] {Duration.ofHours(1), Duration.ofHours(-1)}) {
            try (var skewed = Shop.builder(shop.pool)
                    .clock(() -> Instant.now().plus(skew))
                    .open()) {
                Key inside = aged(WINDOW.minusMinutes(1));
                assertThat(skewed.once(inside).run(tx -> Shop.effect(tx.connection(), inside.id())))
                        .isEqualTo(Verdict.APPLIED);
                Key outside = aged(WINDOW.plusMinutes(1));
                assertThatThrownBy(() -> skewed.once(outside).run(tx -> Shop.effect(tx.connection(), outside.id())))
                        .isInstanceOf(TooLateException.class);
            }
        }
    }

    @Test
    void after_its_day_was_dropped_a_key_is_refused_even_by_a_client_that_believes_it_is_in_time() throws SQLException {
        Key key = aged(Duration.ofDays(5));
        assertThat(apply(key)).isEqualTo(Verdict.APPLIED);
        // As if the client's clock and window were wrong: the database keeps less than the client believes.
        shop.database.execute("UPDATE hapax.tree SET keep_days = 1 WHERE name = 'marker_30'");
        assertThat(shop.hapax.housekeep()).isPositive();
        assertThatThrownBy(() -> apply(key)).isInstanceOf(TooLateException.class);
        // Not even with the longer retention back: a dropped day never comes again.
        shop.database.execute("UPDATE hapax.tree SET keep_days = 30 WHERE name = 'marker_30'");
        assertThatThrownBy(() -> apply(key)).isInstanceOf(TooLateException.class);
        assertThatThrownBy(() -> apply(
                        Key.of("orders", key.id()).at(key.time().orElseThrow().plusSeconds(1))))
                .isInstanceOf(TooLateException.class);
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void another_process_that_still_believes_in_a_dropped_day_is_refused_too() throws SQLException {
        Key key = aged(Duration.ofDays(5));
        try (var other = Shop.builder(shop.pool).housekeeping(false).open()) {
            Key first = aged(Duration.ofDays(5));
            other.once(first).run(tx -> Shop.effect(tx.connection(), first.id()));
            apply(key);
            shop.database.execute("UPDATE hapax.tree SET keep_days = 1 WHERE name = 'marker_30'");
            shop.hapax.housekeep();
            assertThatThrownBy(() -> other.once(key).run(tx -> Shop.effect(tx.connection(), key.id())))
                    .isInstanceOf(TooLateException.class);
        }
        assertThat(shop.effects(key)).isEqualTo(1);
    }

    @Test
    void a_day_in_use_is_not_dropped_and_nobody_waits_for_the_drop() throws Exception {
        Key running = aged(Duration.ofDays(5));
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        CompletableFuture<Verdict> first =
                Shop.async(() -> shop.hapax.once(running).run(tx -> {
                    Shop.effect(tx.connection(), running.id());
                    inside.countDown();
                    go.await();
                }));
        inside.await();
        shop.database.execute("UPDATE hapax.tree SET keep_days = 1 WHERE name = 'marker_30'");
        shop.hapax.housekeep();
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.pruned WHERE tree = 'marker_30'"))
                .isZero();
        Key fresh = Shop.newKey();
        assertThat(apply(fresh)).isEqualTo(Verdict.APPLIED);
        go.countDown();
        assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo(Verdict.APPLIED);
        await().until(() -> shop.hapax.housekeep() >= 0
                && shop.database.queryLong("SELECT count(*) FROM hapax.pruned WHERE tree = 'marker_30'") == 1);
        assertThatThrownBy(() -> apply(running)).isInstanceOf(TooLateException.class);
        assertThat(shop.effects(running)).isEqualTo(1);
    }

    @Test
    void an_insert_that_waits_behind_the_drop_is_refused_and_not_applied() throws Exception {
        Key before = aged(Duration.ofDays(5));
        apply(before);
        shop.database.execute("UPDATE hapax.tree SET keep_days = 1 WHERE name = 'marker_30'");
        String day =
                LocalDate.ofInstant(before.time().orElseThrow(), ZoneOffset.UTC).toString();
        CompletableFuture<Verdict> late;
        try (Connection dropper = shop.database.dataSource().getConnection();
                Statement statement = dropper.createStatement()) {
            dropper.setAutoCommit(false);
            statement.execute("SELECT hapax.drop_partition('marker_30', DATE '" + day + "')");
            late = Shop.async(() -> apply(before));
            await().until(() -> shop.database.queryLong(
                            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
                    == 1);
            dropper.commit();
        }
        assertThat(late)
                .failsWithin(10, TimeUnit.SECONDS)
                .withThrowableThat()
                .withCauseInstanceOf(TooLateException.class);
        assertThat(shop.effects(before)).isEqualTo(1);
    }

    @Test
    void pruning_leaves_an_audit_record() throws SQLException {
        apply(aged(Duration.ofDays(6)));
        shop.database.execute("UPDATE hapax.tree SET keep_days = 1 WHERE name = 'marker_30'");
        shop.hapax.housekeep();
        assertThat(
                        shop.database.queryLong(
                                "SELECT count(*) FROM hapax.pruned WHERE tree = 'marker_30'"
                                        + " AND day = (now() AT TIME ZONE 'UTC' - interval '6 days')::date AND bytes > 0 AND dropped_by = 'postgres'"))
                .isEqualTo(1);
    }

    @Test
    void partitions_are_created_ahead() throws SQLException {
        apply(Shop.newKey());
        shop.hapax.housekeep();
        for (String tree : new String[] {"marker_30", "outcome_30", "log"}) {
            for (int ahead = 0; ahead <= 3; ahead++) {
                assertThat(shop.database.queryLong("SELECT count(*) FROM pg_class WHERE relname = '" + tree
                                + "_' || to_char((now() AT TIME ZONE 'UTC')::date + " + ahead + ", 'YYYYMMDD')"))
                        .as("%s, %d days ahead", tree, ahead)
                        .isEqualTo(1);
            }
        }
    }

    @Test
    void a_scope_can_not_be_moved_to_another_class_of_markers() throws SQLException {
        apply(Shop.newKey());
        assertThatThrownBy(() -> Shop.builder(shop.pool)
                        .scope(Scope.of("orders").remember(Duration.ofDays(90)))
                        .open())
                .isInstanceOf(SchemaException.class)
                .hasMessageContaining("orders");
        try (var narrower = Shop.builder(shop.pool)
                .scope(Scope.of("orders").remember(Duration.ofDays(20)).ownedBy("team"))
                .open()) {
            assertThat(shop.database.queryLong(
                            "SELECT window_seconds FROM hapax.scope WHERE name = 'orders' AND owner = 'team'"))
                    .isEqualTo(Duration.ofDays(20).toSeconds());
            assertThatThrownBy(() -> narrower.once(aged(Duration.ofDays(21))).run(tx -> {}))
                    .isInstanceOf(TooLateException.class);
        }
    }

    @Test
    void answers_are_found_where_an_earlier_declaration_kept_them() throws Exception {
        int[] kept = {1, 30, 7, 1};
        List<Key> keys = new ArrayList<>();
        for (int days : kept) {
            Scope declared = Scope.of("other").keepOutcomes(Duration.ofDays(days));
            try (Hapax service = Shop.builder(shop.pool).scope(declared).open()) {
                for (Key key : keys) {
                    assertThat(service.once(key, String.class)
                                    .call(tx -> "another")
                                    .value())
                            .isEqualTo("answer of " + key.id());
                }
                for (Key key : List.of(Key.generate("other"), Key.of("other", Shop.newId()))) {
                    keys.add(key);
                    service.once(key, String.class).call(tx -> "answer of " + key.id());
                }
            }
        }
        Key old = Key.of("other", Shop.newId()).at(Instant.now().minus(Duration.ofDays(3)));
        try (Hapax longer = Shop.builder(shop.pool).scope(Scope.of("other")).open()) {
            longer.once(old, String.class).call(tx -> "answer");
            assertThat(longer.once(old, String.class).call(tx -> "another").value())
                    .isEqualTo("answer");
        }
        Scope shorter = Scope.of("other").keepOutcomes(Duration.ofDays(1));
        try (Hapax service = Shop.builder(shop.pool).scope(shorter).open()) {
            assertThat(service.once(old, String.class).call(tx -> "another").kept())
                    .isEmpty();
        }
    }
}
