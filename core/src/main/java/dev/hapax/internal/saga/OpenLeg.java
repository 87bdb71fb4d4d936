package dev.hapax.internal.saga;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** The transaction that waits for what comes next: one for the saga's own thread, one for each of its branches. Used by that thread. */
final class OpenLeg {

    private final SagaRun run;
    private @Nullable Leg open;

    OpenLeg(SagaRun run) {
        this.run = run;
    }

    /** The transaction that is open, or a new one. */
    Leg leg() throws SQLException {
        Leg leg = open;
        if (leg == null) {
            leg = Leg.begin(run);
            open = leg;
        }
        return leg;
    }

    void keep(Leg leg) {
        open = leg;
    }

    /** Commits what is open, so that the next step has a transaction of its own. */
    void commit() {
        Leg leg = open;
        if (leg == null) {
            return;
        }
        try {
            leg.commit();
            open = null;
        } catch (SQLException | RuntimeException failure) {
            // Whatever it is: its result has been given out. The code is run again, and then the step has it to itself.
            throw Unwinding.again(failure);
        }
    }

    /** It was committed with an end of the run. */
    void committed() {
        open = null;
    }

    void drop() {
        Leg leg = open;
        open = null;
        if (leg != null) {
            leg.rollback(new SQLException("given up"));
        }
    }
}
