package dev.hapax.claim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.failsafe.CircuitBreaker;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.claim.Bank.Trouble;
import dev.hapax.claim.ClaimResult.InDoubt;
import dev.hapax.claim.ClaimResult.Settled;
import dev.hapax.failsafe.FailsafeBreaker;
import dev.hapax.testkit.TcpProxy.Moment;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A circuit breaker that opens with the first failure, and closes with one success: it lends one leave while it is half open. */
class ClaimBreakerContractTest extends ProxiedStage {

    private final CircuitBreaker<Object> breaker = CircuitBreaker.builder()
            .withFailureThreshold(1)
            .withSuccessThreshold(1)
            .withDelay(Duration.ofHours(1))
            .build();
    private final CallPolicy policy = CallPolicy.idempotent()
            .backoff(Duration.ofMillis(1), Duration.ofMillis(5))
            .attempts(1)
            .breaker(FailsafeBreaker.of(breaker));
    private final Bank bank = new Bank(true);
    private final Key key = Key.generate("payments.charge");

    ClaimBreakerContractTest() {
        super(1);
    }

    private ClaimResult<String> settle(Key which) {
        return hapax.claim(which).policy(policy).perform(bank::charge).settleWithin(SOON);
    }

    private void leaveInDoubt() {
        bank.next(Trouble.REPLY_LOST);
        assertThat(settle(key)).isInstanceOf(InDoubt.class);
        assertThat(breaker.isOpen()).isTrue();
    }

    @Test
    void an_open_breaker_keeps_everybody_from_calling() {
        leaveInDoubt();
        assertThat(settle(key))
                .isInstanceOfSatisfying(
                        InDoubt.class, doubt -> assertThat(doubt.lastError()).contains("circuit breaker is open"));
        assertThatThrownBy(() -> settle(Key.generate("payments.charge")))
                .isInstanceOf(RetryException.class)
                .hasMessageContaining("circuit breaker is open");
        assertThat(bank.log()).hasSize(1);
    }

    @Test
    void a_half_open_one_is_closed_by_a_call_that_is_answered() {
        leaveInDoubt();
        breaker.halfOpen();
        assertThat(settle(key)).isInstanceOf(Settled.class);
        assertThat(breaker.isClosed()).isTrue();
    }

    @Test
    void a_call_that_our_own_database_keeps_from_being_begun_gives_its_leave_back() {
        leaveInDoubt();
        breaker.halfOpen();
        proxy.cut(sql -> sql.startsWith("UPDATE hapax.claim SET attempts"), Moment.BEFORE_SENT);
        assertThatThrownBy(() -> settle(key)).isInstanceOf(RetryException.class);
        assertThat(proxy.cuts()).isEqualTo(1);
        assertThat(bank.log()).hasSize(1);
        breaker.halfOpen();
        assertThat(settle(Key.generate("payments.charge"))).isInstanceOf(Settled.class);
        assertThat(breaker.isClosed()).isTrue();
    }

    @Test
    void a_call_that_ends_in_an_error_gives_its_leave_back() {
        breaker.halfOpen();
        assertThatThrownBy(() -> hapax.claim(key)
                        .policy(policy)
                        .perform(call -> {
                            throw new AssertionError("no such class");
                        })
                        .settleWithin(SOON))
                .hasMessage("no such class");
        breaker.halfOpen();
        assertThat(settle(Key.generate("payments.charge"))).isInstanceOf(Settled.class);
        assertThat(breaker.isClosed()).isTrue();
    }
}
