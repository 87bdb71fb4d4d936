package dev.hapax.internal.consume;

import dev.hapax.consume.Consumer.Lag;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;

/** How far a reader is behind in its lanes. */
final class LaneLag {

    static final Lag NONE = new Lag(0, Duration.ZERO);

    private LaneLag() {}

    /** How many messages lie above the positions, or may still appear below, if so many numbers were drawn in each lane. */
    static long behind(long[] last, Collection<Lane> lanes) {
        long behind = 0;
        for (Lane lane : lanes) {
            behind += Math.max(0, last[lane.number] - lane.position.high());
            for (Position.Gap gap : lane.position.gaps()) {
                behind += gap.to() - gap.from() + 1;
            }
        }
        return behind;
    }

    /** Asks the database how old the oldest of them is. */
    static Lag measure(Connection connection, long behind, Collection<Lane> lanes) throws SQLException {
        return behind == 0 ? NONE : new Lag(behind, PositionStore.oldestUnread(connection, lanes));
    }
}
