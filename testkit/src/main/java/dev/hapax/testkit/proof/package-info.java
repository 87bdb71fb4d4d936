/**
 * Finds every way to die. A {@link dev.hapax.testkit.proof.Scenario} is run once untouched, while each durable boundary that it passes is numbered; then it is run again and
 * again, dying, failing or losing its connection at point 1, 2, 3 … After each run the target's rows are counted.
 */
@NullMarked
package dev.hapax.testkit.proof;

import org.jspecify.annotations.NullMarked;
