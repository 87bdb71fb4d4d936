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

    /** Asks the database; the lanes learn how far their numbers go. */
    static Lag measure(Connection connection, Collection<Lane> lanes) throws SQLException {
        long[] last = LogReader.lastNumbers(connection);
        long behind = 0;
        for (Lane lane : lanes) {
            behind += Math.max(0, last[lane.number] - lane.position.high());
            lane.drawn(last[lane.number]);
            for (Position.Gap gap : lane.position.gaps()) {
                behind += gap.to() - gap.from() + 1;
            }
        }
        return new Lag(behind, behind == 0 ? Duration.ZERO : PositionStore.oldestUnread(connection, lanes));
    }
}
