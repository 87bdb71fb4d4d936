/** What a broker's module implements so that a consumer reads from it. For Hapax's own modules: it may change in any release. */
@NullMarked
package dev.hapax.consume.source;

import org.jspecify.annotations.NullMarked;
