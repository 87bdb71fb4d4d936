/** Events: streams that are appended to once at an expected version, and projections that can be made from them again. */
@NullMarked
package dev.hapax.event;

import org.jspecify.annotations.NullMarked;
