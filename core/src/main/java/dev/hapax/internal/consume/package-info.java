@NullMarked
package dev.hapax.internal.consume;

import org.jspecify.annotations.NullMarked;
