@NullMarked
package dev.hapax.consume;

import org.jspecify.annotations.NullMarked;
