@NullMarked
package dev.hapax.control;

import org.jspecify.annotations.NullMarked;
