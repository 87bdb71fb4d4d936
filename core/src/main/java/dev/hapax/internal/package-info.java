@NullMarked
package dev.hapax.internal;

import org.jspecify.annotations.NullMarked;
