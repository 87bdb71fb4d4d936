@NullMarked
package dev.hapax.once;

import org.jspecify.annotations.NullMarked;
