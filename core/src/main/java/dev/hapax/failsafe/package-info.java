/** Stops calls by a circuit breaker of Failsafe, where the service has it. */
@NullMarked
package dev.hapax.failsafe;

import org.jspecify.annotations.NullMarked;
