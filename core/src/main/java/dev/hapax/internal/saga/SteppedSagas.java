package dev.hapax.internal.saga;

import dev.hapax.saga.Sagas;
import java.sql.SQLException;

/**
 * The sagas of a process without threads, for the testkit alone: its rounds are called by hand, so that a seed can own their order. It does what is otherwise done in the background, by the same parts. Used by one thread.
 */
public final class SteppedSagas {

    private final SagaEngine engine;

    private SteppedSagas(SagaEngine engine) {
        this.engine = engine;
    }

    /**
     * Takes the sagas of a service before the first is registered.
     *
     * @throws IllegalArgumentException if they are not Hapax's own
     * @throws IllegalStateException if one is registered already
     */
    public static SteppedSagas of(Sagas sagas) {
        if (!(sagas instanceof StoredSagas stored)) {
            throw new IllegalArgumentException("not sagas of Hapax: " + sagas.getClass());
        }
        stored.engine().takeByHand();
        return new SteppedSagas(stored.engine());
    }

    /** One round: takes up what is due, and runs it as far as it goes. */
    public void work() throws SQLException {
        engine.ground().connections().autoCommit(engine.keeper()::step);
    }
}
