/** {@code ./hapax proof}: the scenarios and mutants that Hapax itself is proven by, run by hand. */
@NullMarked
package dev.hapax.examples.proof;

import org.jspecify.annotations.NullMarked;
