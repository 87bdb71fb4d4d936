@NullMarked
package dev.hapax.json;

import org.jspecify.annotations.NullMarked;
