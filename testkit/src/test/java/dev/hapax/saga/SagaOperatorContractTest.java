package dev.hapax.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Shop.Order;
import dev.hapax.saga.SagaOperator.Action;
import dev.hapax.saga.SagaOperator.Ruling;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a person may do with a saga that is stuck: once, and with a reason that is kept. */
class SagaOperatorContractTest extends SagaStage {

    @BeforeEach
    void aBankThatIsClosed() {
        shop.hapax
                .saga("fulfil", Order.class)
                .retry(SagaRetry.none())
                .retryUndo(QUICK)
                .run((saga, given) -> {
                    saga.step("reserve", tx -> effect(tx, "reserve"))
                            .undo(tx -> effect(tx, "release"))
                            .run();
                    saga.step("pay", tx -> effect(tx, "pay"))
                            .undo(tx -> {
                                effect(tx, "refund");
                                throw new IllegalStateException("bank is closed");
                            })
                            .run();
                    throw new IllegalStateException("changed my mind");
                });
        assertThat(complete("fulfil", Void.class)).isInstanceOf(SagaResult.Stuck.class);
    }

    @Test
    void a_compensation_is_skipped_with_a_reason_and_the_others_are_done() {
        SagaOperator.Stored stuck = stored("fulfil");
        Ruling ruling = new Ruling("refunded by hand, ticket 4711", "ann");

        assertThat(operator().skip(stuck.id(), "pay", ruling)).isTrue();

        assertThat(endOf("fulfil", Void.class)).isInstanceOf(SagaResult.Compensated.class);
        assertThat(operator().skip(stuck.id(), "pay", ruling)).isFalse();
        assertThat(counted("reserve", "pay", "refund", "release")).containsExactly(1L, 1L, 0L, 1L);
        assertThat(operator().actions(stuck.id()))
                .extracting(Action::action, action -> action.step().orElse(""), Action::reason, Action::by)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("SKIP", "pay", "refunded by hand, ticket 4711", "ann"));
        assertThat(operator().steps(stuck.id()))
                .extracting(step -> (step.isUndo() ? "undo of " : "") + step.name() + " " + step.state())
                .contains("undo of pay SKIPPED", "undo of reserve DONE");
    }

    @Test
    void a_saga_is_ended_by_force_and_what_was_not_undone_stays() {
        SagaOperator.Stored stuck = stored("fulfil");

        assertThat(operator().force(stuck.id(), new Ruling("undone by hand", "ann")))
                .isTrue();

        assertThat(endOf("fulfil", Void.class)).isInstanceOf(SagaResult.Compensated.class);
        assertThat(operator().force(stuck.id(), new Ruling("undone by hand", "ann")))
                .isFalse();
        assertThat(counted("refund", "release")).containsExactly(0L, 0L);
        assertThat(operator().actions(stuck.id())).extracting(Action::action).containsExactly("FORCE");
    }

    @Test
    void a_step_that_is_not_there_is_not_skipped_and_a_reason_must_be_given() {
        SagaOperator.Stored stuck = stored("fulfil");

        assertThat(operator().skip(stuck.id(), "ship", new Ruling("why not", "ann")))
                .isFalse();
        assertThat(operator().actions(stuck.id())).isEmpty();
        assertThatThrownBy(() -> new Ruling(" ", "ann")).hasMessageContaining("reason");
        assertThat(operator().list(Set.of(SagaState.STUCK), 10)).hasSize(1);
    }
}
