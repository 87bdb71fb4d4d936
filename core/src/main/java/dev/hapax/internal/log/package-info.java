@NullMarked
package dev.hapax.internal.log;

import org.jspecify.annotations.NullMarked;
