/** Effects in systems that aren't ours: intent first, then the call, then the settlement; and an honest "in doubt". */
@NullMarked
package dev.hapax.claim;

import org.jspecify.annotations.NullMarked;
