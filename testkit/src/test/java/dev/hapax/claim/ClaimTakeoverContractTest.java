package dev.hapax.claim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Key;
import dev.hapax.claim.ClaimResult.Settled;
import dev.hapax.testkit.TcpProxy.Moment;
import java.sql.SQLException;
import java.time.Duration;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A claim whose owner is gone in the midst of its call is taken over by a caller that waits. */
class ClaimTakeoverContractTest extends ProxiedStage {

    private static final CallPolicy ASKED = CallPolicy.notIdempotent()
            .backoff(Duration.ofMillis(1), Duration.ofMillis(5))
            .arrivesWithin(Duration.ZERO);

    private final Key key = Key.generate("payments.charge");
    private final Bank bank = new Bank(false);

    ClaimTakeoverContractTest() {
        super(5);
    }

    /** Which statement of a takeover is not heard of. */
    enum Unheard {
        TAKING(sql -> sql.startsWith("WITH due AS")),
        LOOKING_FOR_THE_MARKER(sql -> sql.startsWith("SELECT m.scope, m.producer, m.key, m.fingerprint"));

        private final Predicate<String> statement;

        Unheard(Predicate<String> statement) {
            this.statement = statement;
        }
    }

    /** A process calls and is gone, and its lease is over. */
    private void leaveCalled() throws SQLException {
        assertThatThrownBy(() -> shop.hapax
                        .claim(key)
                        .perform(call -> {
                            bank.charge(call);
                            throw new AssertionError("gone");
                        })
                        .settleWithin(SOON))
                .hasMessage("gone");
        shop.database.execute("UPDATE hapax.claim SET due_at = clock_timestamp()");
    }

    private ClaimResult<String> settle() {
        return hapax.claim(key)
                .perform(bank::charge)
                .probe(bank::find)
                .policy(ASKED)
                .settleWithin(SOON);
    }

    @ParameterizedTest
    @EnumSource
    void a_takeover_that_goes_unheard_is_still_asked_about_and_not_called_again(Unheard unheard) throws SQLException {
        leaveCalled();
        proxy.cut(unheard.statement, Moment.AFTER_ANSWERED);
        assertThat(settle()).isInstanceOf(Settled.class);
        assertThat(proxy.cuts()).isEqualTo(1);
        assertThat(bank.log()).containsExactly("call 1", "question");
        assertThat(bank.charges()).isEqualTo(1);
    }

    @Test
    void an_intent_that_goes_unheard_was_not_called_and_is_called_without_a_question() {
        proxy.cut(sql -> sql.contains("INSERT INTO hapax.claim "), Moment.AFTER_ANSWERED);
        assertThat(settle()).isInstanceOf(Settled.class);
        assertThat(proxy.cuts()).isEqualTo(1);
        assertThat(bank.log()).containsExactly("call 1");
    }
}
