package dev.hapax.testkit.proof;

/**
 * A durable boundary that a scenario passes. Immutable.
 *
 * @param number in the order in which a scenario passes them, from 1
 * @param kind what is passed
 * @param side whether it is about to be done, or has been
 * @param commits whether it ends a transaction: a commit, or a write outside a transaction
 * @param label what is done, shortened, for people
 * @param what what is done, in full: two boundaries at which the same is done are alike, wherever they lie
 */
public record Point(int number, Kind kind, Side side, boolean commits, String label, String what) {

    /** What a point lies beside. */
    public enum Kind {
        /** A statement that writes. */
        STATEMENT,
        /** A commit. */
        COMMIT,
        /** A step outside the database, named by the scenario; see {@link Node#step} and {@link Node#around}. */
        STEP,
        /** A place in a program at which nothing is done; see {@link Node#point}. */
        PLACE
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
        return boundary().equals(other.boundary());
    }

    /** {@return what tells it from other boundaries, wherever it lies} */
    String boundary() {
        return kind + " " + side + " " + commits + " " + what;
    }

    @Override
    public String toString() {
        return "#" + number + " " + words(kind, side) + label;
    }

    static String words(Kind kind, Side side) {
        if (kind == Kind.PLACE) {
            return "at ";
        }
        return side == Side.BEFORE ? "before " : "after ";
    }
}
