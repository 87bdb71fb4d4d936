/** The scenarios and the mutants that Hapax itself is proven by; examples for scenarios of your own. */
@NullMarked
package dev.hapax.testkit.catalog;

import org.jspecify.annotations.NullMarked;
