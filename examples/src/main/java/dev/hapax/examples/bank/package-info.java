/** A bank: a system that isn't ours, with all that such systems do to their callers. It knows nothing of Hapax. */
@NullMarked
package dev.hapax.examples.bank;

import org.jspecify.annotations.NullMarked;
