package dev.hapax.internal.consume;

import java.util.HashSet;
import java.util.Set;

/** A part of a reader's messages that one worker has: a lane of the log, or (a part of) a partition of a broker. Used by that worker's thread alone. */
abstract class Share {

    /** Grows with each owner; every write carries it. */
    final long token;

    /** Message keys that have held messages, so that later ones wait behind them. May name more than there are, never fewer. */
    final Set<String> heldKeys = new HashSet<>();

    /** How many of the next messages are handled one by one, after they were written down: readers have died here. */
    int suspects;

    Share(long token) {
        this.token = token;
    }
}
