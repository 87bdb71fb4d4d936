@NullMarked
package dev.hapax.internal.once;

import org.jspecify.annotations.NullMarked;
