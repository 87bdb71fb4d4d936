/** The benchmarks. */
@NullMarked
package dev.hapax.benchmarks;

import org.jspecify.annotations.NullMarked;
