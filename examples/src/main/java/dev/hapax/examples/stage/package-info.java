/** What shows the shop at work: its processes and database, a client that orders and repeats itself, and the audit that holds the rows against what was ordered. */
@NullMarked
package dev.hapax.examples.stage;

import org.jspecify.annotations.NullMarked;
