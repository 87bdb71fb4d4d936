/** What operators type, with the read models behind it. */
@NullMarked
package dev.hapax.server.command;

import org.jspecify.annotations.NullMarked;
