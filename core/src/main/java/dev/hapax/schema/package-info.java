@NullMarked
package dev.hapax.schema;

import org.jspecify.annotations.NullMarked;
