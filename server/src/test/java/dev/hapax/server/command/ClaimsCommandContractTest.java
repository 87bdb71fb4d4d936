package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.claim.Claim;
import dev.hapax.claim.ClaimResult;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is in doubt is found, and decided by a person. */
@Tag("slow")
class ClaimsCommandContractTest {

    private static final String SCOPE = "payments.charge";

    private Shop shop;
    private Hapax service;

    @BeforeEach
    void open() throws SQLException {
        shop = new Shop();
        service = shop.open();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private Claim<String> claim(Key key) {
        return service.claim(key)
                .perform(call -> {
                    throw new IOException("connection reset");
                })
                .settling((charge, tx) -> {
                    try (var insert = tx.connection()
                            .prepareStatement("INSERT INTO billed (customer, body) VALUES ('anna', ?)")) {
                        insert.setString(1, charge);
                        insert.executeUpdate();
                    }
                });
    }

    private Key inDoubt() {
        Key key = Key.generate(SCOPE);
        assertThat(claim(key).settleWithin(Duration.ofSeconds(20))).isInstanceOf(ClaimResult.InDoubt.class);
        return key;
    }

    @Test
    void what_is_in_doubt_is_listed_and_shown() {
        Key key = inDoubt();
        assertThat(shop.shell.ok("claims", "list", "--scope", SCOPE, "--state", "in_doubt"))
                .contains(key.id(), "IN_DOUBT", "shop");
        assertThat(shop.shell.ok("claims", "list", "--scope", "other")).contains("nothing is in flight");
        assertThat(shop.shell.ok("claims", "list", "--json")).contains("\"attempts\":1");
        assertThat(shop.shell.ok("claims", "show", SCOPE, key.id())).contains("connection reset", "its caller alone");
    }

    private String settle(Key key, String answer) {
        return shop.shell.ok(
                "claims", "settle", SCOPE, key.id(), "--answer", answer, "--reason", "found in their portal");
    }

    @Test
    void a_decision_is_carried_out_with_local_effects_by_the_next_caller() throws SQLException {
        Key key = inDoubt();
        assertThat(settle(key, "ch_7")).contains("decided;");
        assertThat(settle(key, "ch_77")).contains("decided;");
        assertThat(settle(key, "ch_77")).contains("nothing changed");
        assertThat(shop.shell.ok("claims", "show", SCOPE, key.id())).contains("SETTLE", "found in their portal");
        assertThat(claim(key).settleWithin(Duration.ofSeconds(20)))
                .isEqualTo(new ClaimResult.Settled<>(key, Optional.of("ch_77")));
        assertThat(shop.database.queryLong("SELECT count(*) FROM billed WHERE body = 'ch_77'"))
                .isEqualTo(1);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.claim_decision"))
                .isEqualTo(2);
    }

    @Test
    void a_refusal_without_effects_is_final_at_once() {
        Key key = inDoubt();
        assertThat(shop.shell
                        .run("claims", "probe", SCOPE, key.id())
                        .endsWith(Commands.PROBLEM)
                        .err())
                .contains("no worker can take it up");
        shop.shell.ok("claims", "refuse", SCOPE, key.id(), "--reason", "never arrived", "--without-effects");
        assertThat(claim(key).settleWithin(Duration.ofSeconds(20)))
                .isEqualTo(new ClaimResult.Refused<>(key, "never arrived"));
        assertThat(shop.shell.ok("claims", "list")).contains("nothing is in flight");
    }
}
