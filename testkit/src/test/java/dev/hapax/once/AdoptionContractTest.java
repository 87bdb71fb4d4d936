package dev.hapax.once;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Key;
import dev.hapax.Scope;
import dev.hapax.Shop;
import dev.hapax.StoreException;
import dev.hapax.control.Control.Kind;
import dev.hapax.once.Adoption.Adopted;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Effects whose markers are missing. */
class AdoptionContractTest {

    private static final String SCOPE = "imported";
    private static final String QUERY = "SELECT id FROM effect WHERE id LIKE 'old-%'";

    private Shop shop;

    @BeforeEach
    void open() {
        shop = Shop.open(builder -> builder.scope(Scope.of("recent").remember(Duration.ofDays(1))));
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private void effects(int number) throws SQLException {
        shop.database.execute(
                "INSERT INTO effect (id, amount) SELECT 'old-' || n, 1 FROM generate_series(1, " + number + ") n");
    }

    @Test
    void a_repeat_of_what_was_adopted_does_nothing() throws SQLException {
        effects(2_500);
        assertThat(shop.hapax.adopt(SCOPE).from(QUERY)).isEqualTo(new Adopted(2_500, 0, 0, 0));
        assertThat(shop.hapax.adopt(SCOPE).from(QUERY)).isEqualTo(new Adopted(0, 2_500, 0, 0));
        List<String> runs = new ArrayList<>();
        for (String id : List.of("old-1", "old-2500", "new-1")) {
            shop.hapax.once(Key.of(SCOPE, id)).run(tx -> runs.add(id));
        }
        assertThat(runs).containsExactly("new-1");
    }

    @Test
    void a_preview_counts_and_changes_nothing() throws SQLException {
        effects(30);
        assertThat(shop.hapax.adopt(SCOPE).preview(QUERY).marked()).isEqualTo(30);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.marker")).isZero();
    }

    @Test
    void keys_of_another_producer_with_a_time_of_their_own_lie_where_their_repeats_look() throws SQLException {
        effects(3);
        Adopted adopted = shop.hapax
                .adopt("recent")
                .producer("web")
                .from("SELECT id, date_trunc('day', clock_timestamp()) FROM effect"
                        + " UNION ALL SELECT 'late', clock_timestamp() - interval '3 days'"
                        + " UNION ALL SELECT 'early', clock_timestamp() + interval '1 day'");
        assertThat(adopted).isEqualTo(new Adopted(3, 0, 1, 1));
        Instant day = Instant.ofEpochSecond(shop.database.queryLong(
                "SELECT CAST(extract(epoch FROM date_trunc('day', applied_at)) AS bigint) FROM hapax.marker LIMIT 1"));
        List<String> runs = new ArrayList<>();
        shop.hapax.once(Key.of("recent", "old-1").producer("web").at(day)).run(tx -> runs.add("web"));
        assertThat(runs).isEmpty();
        shop.hapax.once(Key.of("recent", "old-1").at(day)).run(tx -> runs.add("shop"));
        assertThat(runs).containsExactly("shop");
    }

    @Test
    void a_paused_scope_is_adopted_all_the_same() throws SQLException {
        effects(1);
        shop.hapax.control().pause(Kind.SCOPE, SCOPE, "markers are rebuilt", "me");
        assertThat(shop.hapax.adopt(SCOPE).from(QUERY).marked()).isEqualTo(1);
    }

    @Test
    void a_query_that_does_not_fit_is_told() {
        assertThatThrownBy(() -> shop.hapax.adopt(SCOPE).from("SELECT nothing FROM nowhere"))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("42P01");
        assertThatThrownBy(() -> shop.hapax.adopt(SCOPE).from("SELECT CAST(NULL AS text)"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("null");
    }
}
