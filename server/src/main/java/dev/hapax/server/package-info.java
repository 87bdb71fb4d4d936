/** The commands of operators. */
@NullMarked
package dev.hapax.server;

import org.jspecify.annotations.NullMarked;
