/** The shop that the demo runs. */
@NullMarked
package dev.hapax.examples;

import org.jspecify.annotations.NullMarked;
