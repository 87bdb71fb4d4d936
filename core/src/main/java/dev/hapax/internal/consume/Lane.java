package dev.hapax.internal.consume;

/** One lane of the log that a worker owns. */
final class Lane extends Share {

    private static final long WINDOW = 1_000;
    private static final int WIDER = 16;
    private static final int GAPS_MANY = 100;
    private static final int GAPS_MAX = 1_000;

    final short number;

    Position position;

    /** How far above the position a look goes, in numbers. */
    long window = WINDOW;

    /** No transaction that is open and has drawn a number of this lane has a smaller xid, and all that such transactions left can be seen by the next look. */
    long settled;

    /** Whether somebody was told that it stands still. */
    boolean isTold;

    private boolean foundNothing;

    Lane(short number, long token, Position position) {
        super(token);
        this.number = number;
        this.position = position;
    }

    /** Notes whether a look has found something above the position. */
    void looked(boolean found) {
        foundNothing = !found;
        if (found) {
            window = WINDOW;
        }
    }

    /** Numbers above the window were drawn, and nothing lies in it: many transactions in a row were rolled back, or the sequence was set. The next look goes further. */
    void drawn(long last) {
        if (foundNothing && last > position.high() + window && window < Long.MAX_VALUE / WIDER) {
            window *= WIDER;
        }
    }

    /** Whether there are so many gaps that it is worth finding out which of them can't be filled any more. */
    boolean isCrowded() {
        return position.gaps().size() > GAPS_MANY;
    }

    /** Behind too many gaps a reader waits for them: its position must stay small enough to be written with every batch. */
    boolean isFull() {
        return position.gaps().size() > GAPS_MAX;
    }
}
