/** The front door of Hapax: open it on a data source, then apply operations exactly once. */
@NullMarked
package dev.hapax;

import org.jspecify.annotations.NullMarked;
