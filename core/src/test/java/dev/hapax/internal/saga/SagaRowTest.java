package dev.hapax.internal.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Key;
import dev.hapax.saga.SagaState;
import dev.hapax.spi.Encoded;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SagaRowTest {

    /** The whole table, written out a second time. */
    private static final Map<SagaState, Set<SagaState>> TABLE = Map.of(
            SagaState.RUNNING,
            Set.of(SagaState.RUNNING, SagaState.WAITING, SagaState.COMPENSATING, SagaState.COMPLETED, SagaState.STUCK),
            SagaState.WAITING,
            Set.of(SagaState.RUNNING, SagaState.COMPENSATING),
            SagaState.COMPENSATING,
            Set.of(SagaState.COMPENSATING, SagaState.COMPENSATED, SagaState.CANCELLED, SagaState.STUCK),
            SagaState.STUCK,
            Set.of(SagaState.WAITING, SagaState.COMPENSATING),
            SagaState.COMPLETED,
            Set.of(SagaState.COMPENSATING),
            SagaState.COMPENSATED,
            Set.of(),
            SagaState.CANCELLED,
            Set.of());

    @ParameterizedTest
    @EnumSource(SagaState.class)
    void a_saga_goes_only_where_the_table_lets_it(SagaState from) {
        for (SagaState to : SagaState.values()) {
            SagaRow saga = in(from);
            boolean allowed = TABLE.get(from).contains(to);
            assertThat(from.canBecome(to)).as("%s to %s", from, to).isEqualTo(allowed);
            if (allowed) {
                saga.become(to);
                assertThat(saga.state).isEqualTo(to);
            } else {
                assertThatThrownBy(() -> saga.become(to))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining(from + " can't become " + to);
                assertThat(saga.state).isEqualTo(from);
            }
        }
    }

    private static SagaRow in(SagaState state) {
        Key key = Key.of("orders", "1").producer("shop");
        SagaRow saga = SagaRow.fresh(
                new SagaRow.Birth(UUID.fromString(key.child("a").id()), key, 1, 1, Instant.EPOCH, Instant.MAX),
                SagaRow.Kin.NONE,
                new Encoded("string", new byte[0]),
                null);
        saga.state = state;
        return saga;
    }
}
