/** Two-phase commit; not for callers. */
@NullMarked
package dev.hapax.internal.twophase;

import org.jspecify.annotations.NullMarked;
