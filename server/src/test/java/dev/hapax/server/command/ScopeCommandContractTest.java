package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Scope;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Scopes as declared, with their markers by day; what is dropped is listed; housekeeping does what it says. */
class ScopeCommandContractTest {

    private static final Scope CHARGE = Scope.of("payments.charge")
            .ownedBy("team payments")
            .runbook(URI.create("https://runbooks.example/charge"))
            .remember(Duration.ofDays(7))
            .keepOutcomes(Duration.ofHours(12));

    private Shop shop;

    @BeforeEach
    void open() throws SQLException {
        shop = new Shop();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private Hapax payments() {
        return Hapax.on(shop.database.pooled(2)).name("payments").scope(CHARGE).open();
    }

    private static void apply(Hapax hapax, String scope, int many) {
        List<Integer> items = IntStream.range(0, many).boxed().toList();
        hapax.onceAll(items, i -> Key.generate(scope)).run((fresh, tx) -> {});
    }

    @Test
    void scopes_are_listed_with_owner_and_windows() {
        try (Hapax hapax = payments()) {
            apply(hapax, "payments.charge", 1);
            apply(hapax, "payments.refund", 1);
        }
        shop.shell.ok("pause", "scope", "payments.charge", "--reason", "provider is down", "--by", "dora");

        Shell.Ran list = shop.shell.run("scope", "list").endsWith(0);
        assertThat(list.lines()).hasSize(3);
        assertThat(list.lines().get(1))
                .matches("payments\\.charge +team payments +7 d +12 h +7 +20\\S+Z +provider is down \\(dora\\)");
        assertThat(list.lines().get(2)).matches("payments\\.refund +- +30 d +30 d +30 +20\\S+Z +-");
        JsonNode first =
                shop.shell.run("scope", "list", "--json").endsWith(0).json().get(0);
        assertThat(first.get("windowSeconds").asLong()).isEqualTo(604_800);
        assertThat(first.get("outcomeSeconds").asLong()).isEqualTo(43_200);
        assertThat(first.get("runbook").asString()).isEqualTo("https://runbooks.example/charge");
    }

    @Test
    void a_scope_is_shown_with_its_own_markers_by_day() {
        Instant yesterday = Instant.now().minus(Duration.ofDays(1));
        try (Hapax hapax = payments()) {
            apply(hapax, "payments.charge", 120);
            apply(hapax, "payments.refund", 30);
            hapax.once(Key.of("payments.charge", "one").at(yesterday)).run(tx -> {});
            hapax.once(Key.of("payments.charge", "timeless")).run(tx -> {});
        }

        JsonNode partitions = shop.shell
                .run("scope", "show", "payments.charge", "--json")
                .endsWith(0)
                .json()
                .get("partitions");
        assertThat(partitions
                        .valueStream()
                        .map(p -> p.get("tree").asString() + " " + p.get("rows").asLong()))
                .contains("marker_7 1", "marker_timeless 1");
        assertThat(partitions
                        .valueStream()
                        .filter(p -> p.get("tree").asString().equals("marker_7"))
                        .mapToLong(p -> p.get("rows").asLong())
                        .sum())
                .isEqualTo(121);
        assertThat(shop.shell.ok("scope", "show", "payments.charge"))
                .contains("team payments", "https://runbooks.example/charge", "counted");
        assertThat(shop.shell.run("scope", "show", "payments.charg").endsWith(1).err())
                .contains("there is no scope payments.charg here");
    }

    @Test
    void many_markers_are_estimated_from_statistics() throws SQLException {
        try (Hapax hapax = payments()) {
            for (int i = 0; i < 3; i++) {
                apply(hapax, "payments.charge", 5_000);
            }
        }
        shop.database.execute("ANALYZE");

        List<JsonNode> partitions = shop.shell
                .run("scope", "show", "payments.charge", "--json")
                .endsWith(0)
                .json()
                .get("partitions")
                .valueStream()
                .toList();
        assertThat(partitions).anySatisfy(p -> {
            assertThat(p.get("certainty").asString()).isEqualTo("estimated");
            assertThat(p.get("rows").asLong()).isBetween(10_001L, 20_000L);
        });
    }

    @Test
    void housekeeping_drops_what_is_behind_its_retention_and_the_list_shows_it() throws SQLException {
        payments().close();
        assertThat(shop.shell.ok("prune", "list")).contains("no day has been dropped yet");
        shop.database.execute("""
                CREATE TABLE hapax.log_20250102 PARTITION OF hapax.log FOR VALUES FROM ('2025-01-02') TO ('2025-01-03')""");

        assertThat(shop.shell.ok("housekeep")).containsPattern("\\d+ things? done");

        assertThat(shop.shell.run("prune", "list").lines().get(1))
                .matches("log +2025-01-02 +0 +\\S+ \\S+ +20\\S+Z +postgres");
        JsonNode pruned = shop.shell.run("prune", "list", "--json").endsWith(0).json();
        assertThat(pruned.get(0).get("day").asString()).isEqualTo("2025-01-02");
        assertThat(shop.number("SELECT count(*) FROM pg_class WHERE relname = 'log_20250102'"))
                .isZero();
        assertThat(shop.shell.ok("housekeep")).contains("nothing to do");
    }
}
