package dev.hapax.testkit.proof;

/** What happens at a point. Immutable. */
public enum Mode {
    /** The process is gone, with its connections: what was not committed is rolled back by the server, what was in memory is lost. */
    DIES,

    /** What was about to be done is refused, once: by the database with a serialization failure (40001), after which doing the transaction again helps. */
    FAILS_ONCE,

    /** From here on the database refuses every write of this process (53100, disk full), or the other system every call: only another process, later, goes on. */
    FAILS_FOR_GOOD,

    /** The connection is lost, and with it the open transaction; a call of another system does not arrive. */
    LOST_NOT_COMMITTED,

    /** The connection is lost after the work was committed, or the other system's was done, and before anybody was told. */
    LOST_COMMITTED,

    /**
     * The process stands still, as if it were suspended, while a second one does the scenario's work, as far as no lock of the first is in its way; then the first goes on.
     */
    PAUSED;

    /** {@return whether this can happen at the point: a write can't be refused after it was done, and nothing is committed before a commit} */
    public boolean happensAt(Point point) {
        return switch (this) {
            case DIES, PAUSED -> true;
            case FAILS_ONCE, FAILS_FOR_GOOD -> point.kind() != Point.Kind.PLACE && point.side() == Point.Side.BEFORE;
            case LOST_NOT_COMMITTED ->
                point.kind() != Point.Kind.PLACE && !(point.side() == Point.Side.AFTER && point.commits());
            case LOST_COMMITTED ->
                point.kind() != Point.Kind.PLACE && point.side() == Point.Side.AFTER && point.commits();
        };
    }

    /** {@return this, or what comes nearest to it, if this can't happen at the point} */
    Mode nearestAt(Point point) {
        if (happensAt(point)) {
            return this;
        }
        if (this == LOST_COMMITTED && LOST_NOT_COMMITTED.happensAt(point)) {
            return LOST_NOT_COMMITTED;
        }
        return this == LOST_NOT_COMMITTED && LOST_COMMITTED.happensAt(point) ? LOST_COMMITTED : DIES;
    }
}
