@NullMarked
package dev.hapax.micrometer;

import org.jspecify.annotations.NullMarked;
