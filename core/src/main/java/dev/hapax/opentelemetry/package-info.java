@NullMarked
package dev.hapax.opentelemetry;

import org.jspecify.annotations.NullMarked;
