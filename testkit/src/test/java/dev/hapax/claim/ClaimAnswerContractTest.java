package dev.hapax.claim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.FencedException;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Scope;
import dev.hapax.Shop;
import dev.hapax.claim.Bank.Trouble;
import dev.hapax.claim.ClaimResult.Refused;
import dev.hapax.claim.ClaimResult.Settled;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the answer of a claim lies, and what its marker and its intent run into. */
@Tag("slow")
class ClaimAnswerContractTest {

    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String SHORT = "payments.short";

    private Shop shop;

    @BeforeEach
    void open() {
        shop = Shop.open(builder -> builder.scope(Scope.of(SHORT).keepOutcomes(Duration.ofDays(1))));
    }

    @AfterEach
    void close() {
        shop.close();
    }

    /** Kinds of keys, by the place of their answers. */
    enum Kind {
        TIMED,
        TIMELESS,
        ANSWER_KEPT_SHORTER,
        ANSWER_NOT_KEPT;

        Key key() {
            return switch (this) {
                case TIMED -> Key.generate("payments.charge");
                case TIMELESS -> Key.of("payments.charge", Shop.newId());
                case ANSWER_KEPT_SHORTER -> Key.generate(SHORT);
                case ANSWER_NOT_KEPT ->
                    Key.of(SHORT, Shop.newId()).at(Instant.now().minus(Duration.ofDays(9)));
            };
        }
    }

    private long count(String sql) throws SQLException {
        return shop.database.queryLong("SELECT count(*) FROM " + sql);
    }

    private Claim<String> claim(Key key, Bank bank) {
        return shop.hapax.claim(key).perform(bank::charge);
    }

    @ParameterizedTest
    @EnumSource
    void a_repeat_gets_the_first_answer_wherever_it_lies(Kind kind) throws SQLException {
        Key key = kind.key();
        Bank bank = new Bank(false);
        Settled<String> first = (Settled<String>) claim(key, bank).settleWithin(SOON);
        Settled<String> second = (Settled<String>) claim(key, bank).settleWithin(SOON);
        if (kind == Kind.ANSWER_NOT_KEPT) {
            assertThat(second.kept()).isEmpty();
        } else {
            assertThat(second).isEqualTo(first);
        }
        assertThat(bank.log()).containsExactly("call 1");
        assertThat(count("hapax.marker WHERE key = '" + key.id() + "'")).isEqualTo(1);
        assertThat(count("hapax.claim")).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void a_refusal_stays_one_whether_its_reason_is_kept_or_not(Kind kind) throws SQLException {
        Key key = kind.key();
        Bank bank = new Bank(false).next(Trouble.DECLINES);
        assertThat(claim(key, bank).settleWithin(SOON)).isEqualTo(new Refused<>(key, "card declined"));
        String told = kind == Kind.ANSWER_NOT_KEPT ? "refused before; the reason is no longer kept" : "card declined";
        assertThat(claim(key, bank).settleWithin(SOON)).isEqualTo(new Refused<>(key, told));
        assertThat(bank.log()).containsExactly("call 1");
        assertThat(count("hapax.claim")).isZero();
    }

    @Test
    void an_answer_that_is_kept_as_long_as_its_marker_has_no_row_of_its_own() throws SQLException {
        claim(Kind.TIMED.key(), new Bank(false)).settleWithin(SOON);
        assertThat(count("hapax.marker_30 WHERE answer IS NOT NULL")).isEqualTo(1);
        assertThat(count("hapax.outcome_30")).isZero();
        claim(Kind.ANSWER_KEPT_SHORTER.key(), new Bank(false)).settleWithin(SOON);
        assertThat(count("hapax.marker_30 WHERE answer IS NOT NULL")).isEqualTo(1);
        assertThat(count("hapax.outcome_1")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_key_that_once_has_applied_meanwhile_ends_as_fenced_and_its_claim_is_gone(boolean effects)
            throws SQLException {
        Key key = Kind.TIMED.key();
        Claim<String> claim = shop.hapax.claim(key).perform(call -> {
            shop.hapax.once(key).run(tx -> Shop.effect(tx.connection(), key.id()));
            return "done";
        });
        if (effects) {
            claim.settling((answer, tx) -> Shop.effect(tx.connection(), key.id()));
        }
        assertThatThrownBy(() -> claim.settleWithin(SOON)).isInstanceOf(FencedException.class);
        assertThat(shop.effects(key)).isEqualTo(1);
        assertThat(count("hapax.claim")).isZero();
    }

    @Test
    void an_intent_that_nobody_took_back_is_gone_after_the_next_repeat() throws SQLException {
        Key key = Kind.TIMED.key();
        Bank bank = new Bank(false);
        ClaimResult<String> first = claim(key, bank).settleWithin(SOON);
        shop.database.execute("INSERT INTO hapax.claim (scope, producer, key, key_time, owner, due_at, attempts)"
                + " SELECT scope, producer, key, '" + key.time().orElseThrow()
                + "', 'a process that is gone', clock_timestamp() - interval '1 s', 1"
                + " FROM hapax.marker_30");
        assertThat(claim(key, bank).settleWithin(SOON)).isEqualTo(first);
        assertThat(bank.log()).containsExactly("call 1");
        assertThat(count("hapax.claim")).isZero();
    }

    @Test
    void an_answer_is_found_where_an_earlier_declaration_kept_it() {
        Key key = Key.generate(SHORT);
        shop.hapax.claim(key).perform(call -> "answer").settleWithin(SOON);
        Scope longer = Scope.of(SHORT).keepOutcomes(Duration.ofDays(7));
        try (Hapax later = Shop.builder(shop.pool).scope(longer).open()) {
            assertThat(later.claim(key).perform(call -> "another").settleWithin(SOON))
                    .isInstanceOfSatisfying(
                            Settled.class, settled -> assertThat(settled.kept()).contains("answer"));
        }
    }
}
