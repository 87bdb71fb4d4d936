package dev.hapax.internal.consume;

import java.util.HashSet;
import java.util.Set;

/** One lane that a worker owns. Used by that worker's thread alone. */
final class Lane {

    final short number;
    final long token;

    /** Message keys that have held messages, so that later ones wait behind them. May name more than there are, never fewer. */
    final Set<String> heldKeys = new HashSet<>();

    Position position;

    /** How many of the next messages are handled one by one, after they were written down: readers have died here. */
    int suspects;

    Lane(short number, long token, Position position) {
        this.number = number;
        this.token = token;
        this.position = position;
    }
}
