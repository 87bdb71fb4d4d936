@NullMarked
package dev.hapax.log;

import org.jspecify.annotations.NullMarked;
