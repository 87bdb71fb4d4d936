/**
 * Faults of the real world by name: a network that fails, a database that is killed, full, busy, restored or replaced. {@link dev.hapax.testkit.fault.Outage} lists them,
 * {@link dev.hapax.testkit.fault.Site} is what they happen to.
 */
@NullMarked
package dev.hapax.testkit.fault;

import org.jspecify.annotations.NullMarked;
