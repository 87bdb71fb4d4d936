@NullMarked
package dev.hapax.spi;

import org.jspecify.annotations.NullMarked;
