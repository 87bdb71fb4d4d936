package dev.hapax.internal.consume;

import java.util.HashSet;
import java.util.Set;

/** One lane that a worker owns. Used by that worker's thread alone. */
final class Lane {

    private static final long WINDOW = 1_000;
    private static final int WIDER = 16;

    final short number;
    final long token;

    /** Message keys that have held messages, so that later ones wait behind them. May name more than there are, never fewer. */
    final Set<String> heldKeys = new HashSet<>();

    Position position;

    /** How far above the position a look goes, in numbers. */
    long window = WINDOW;

    private boolean foundNothing;

    /** How many of the next messages are handled one by one, after they were written down: readers have died here. */
    int suspects;

    Lane(short number, long token, Position position) {
        this.number = number;
        this.token = token;
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
