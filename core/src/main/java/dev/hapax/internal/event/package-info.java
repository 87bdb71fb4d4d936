/** Events; not for callers. */
@NullMarked
package dev.hapax.internal.event;

import org.jspecify.annotations.NullMarked;
