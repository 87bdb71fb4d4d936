package dev.hapax.internal.consume;

/** One lane of the log that a worker owns. */
final class Lane extends Share {

    private static final long WINDOW = 1_000;
    private static final int WIDER = 16;

    final short number;

    Position position;

    /** How far above the position a look goes, in numbers. */
    long window = WINDOW;

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
}
