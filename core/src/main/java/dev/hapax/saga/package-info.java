/** Durable sequences of steps, each of which is done once, with compensations that undo them. */
@NullMarked
package dev.hapax.saga;

import org.jspecify.annotations.NullMarked;
