package dev.hapax.testkit.proof;

/**
 * A durable boundary that a scenario passes. Immutable.
 *
 * @param number in the order in which a scenario passes them, from 1
 * @param kind what is passed
 * @param side whether it is about to be done, or has been
 * @param commits whether it ends a transaction: a commit, or a write outside a transaction
 * @param label what is done, shortened, for people
 */
public record Point(int number, Kind kind, Side side, boolean commits, String label) {

    /** What a point lies beside. */
    public enum Kind {
        /** A statement that writes. */
        STATEMENT,
        /** A commit. */
        COMMIT,
        /** A step outside the database, named by the scenario; see {@link Node#step}. */
        STEP
    }

    /** Where a point lies. */
    public enum Side {
        /** Nothing was done yet. */
        BEFORE,
        /** It is done, and nobody was told. */
        AFTER
    }

    /** {@return whether it is the same boundary, whatever its number} */
    boolean isLike(Point other) {
        return kind == other.kind && side == other.side && commits == other.commits && label.equals(other.label);
    }

    @Override
    public String toString() {
        return "#" + number + " " + (side == Side.BEFORE ? "before " : "after ") + label;
    }
}
