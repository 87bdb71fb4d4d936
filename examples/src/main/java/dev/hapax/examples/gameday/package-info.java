/** The game day: the demo's shop at a steady rate, under one fault after another, counted at the end in the rows of the database. */
@NullMarked
package dev.hapax.examples.gameday;

import org.jspecify.annotations.NullMarked;
