package dev.hapax.testkit.catalog;

import dev.hapax.testkit.proof.Scenario;

/**
 * A wrong implementation, and what must catch it. Immutable.
 *
 * @param name what is wrong, in a few words
 * @param scenario a scenario that runs it
 * @param invariant which invariant must catch it
 */
public record Mutant(String name, Scenario<?> scenario, String invariant) {}
