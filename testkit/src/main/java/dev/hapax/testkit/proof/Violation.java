package dev.hapax.testkit.proof;

/**
 * An invariant that did not hold. Immutable.
 *
 * @param invariant its name: one of {@link Invariants}, or the scenario's own
 * @param finding what was found
 * @param trial the run, which its text form repeats exactly
 * @param where the points at which something went wrong, for people
 */
public record Violation(String invariant, String finding, Trial trial, String where) {}
