@NullMarked
package dev.hapax.internal.claim;

import org.jspecify.annotations.NullMarked;
