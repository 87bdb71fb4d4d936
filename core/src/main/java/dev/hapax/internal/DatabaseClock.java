package dev.hapax.internal;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;

/**
 * The database's time, from this machine's clock and the difference that was last measured. Windows are judged by it, so that a machine whose
 * clock is wrong by an hour neither refuses keys that are in time nor takes those that are late. It decides nothing that exactness
 * rests on: that is the partition, which is there or is not.
 *
 * <p>Safe for use by many threads.
 */
public final class DatabaseClock implements InstantSource {

    /** For statements that ask for something else as well: the database's time. */
    public static final String NOW = "clock_timestamp()";

    private final InstantSource local;
    private volatile long offsetMillis;

    public DatabaseClock(InstantSource local) {
        this.local = local;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis());
    }

    @Override
    public long millis() {
        return local.millis() + offsetMillis;
    }

    /** Days since 1970-01-01, UTC. */
    public long epochDay() {
        return Math.floorDiv(millis(), Days.MILLIS);
    }

    /** Notes what the database said between two readings of the local clock. */
    public void observe(OffsetDateTime database, long localBefore, long localAfter) {
        offsetMillis = database.toInstant().toEpochMilli() - (localBefore + (localAfter - localBefore) / 2);
    }

    /** This machine's own clock, to go with {@link #observe}. */
    public long localMillis() {
        return local.millis();
    }

    public void measure(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            long before = localMillis();
            try (ResultSet row = statement.executeQuery("SELECT " + NOW)) {
                row.next();
                observe(row.getObject(1, OffsetDateTime.class), before, localMillis());
            }
        }
    }
}
