package dev.hapax.examples.gameday;

import java.time.Duration;
import java.util.Optional;

/**
 * One fault that has happened.
 *
 * @param hit what it hit, and what is worth knowing of it
 * @param at when it began, since the first request
 * @param lasted until its cause was gone: the process awake, the network whole, the server started again
 * @param recovery from its end until fresh work was done at the usual rate again, as {@link Recovery} has it; empty if it was not within {@link Faults#PATIENCE}
 */
record Incident(FaultKind kind, String hit, Duration at, Duration lasted, Optional<Duration> recovery) {}
