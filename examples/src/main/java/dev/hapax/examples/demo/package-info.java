/** The demo: real orders through processes that are killed while they work, counted at the end in the rows of the database. */
@NullMarked
package dev.hapax.examples.demo;

import org.jspecify.annotations.NullMarked;
