@NullMarked
package dev.hapax.internal.saga;

import org.jspecify.annotations.NullMarked;
