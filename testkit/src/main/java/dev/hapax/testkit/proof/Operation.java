package dev.hapax.testkit.proof;

import java.time.Instant;

/**
 * One intended effect of a scenario, as its client sees it: the same for each repeat. Immutable.
 *
 * @param nth its place among the scenario's operations, from 1
 * @param id names it, for ever: {@code op-1}
 * @param time when the client made it; every repeat carries the same
 * @param attempt how often it has been sent, this time included. Nothing that is stored may depend on it: it is here for those who want to see what happens if something does
 */
public record Operation(int nth, String id, Instant time, int attempt) {

    Operation again() {
        return new Operation(nth, id, time, attempt + 1);
    }
}
