/** One operation over two resources or more: the home database's commit decides for all of them. */
@NullMarked
package dev.hapax.twophase;

import org.jspecify.annotations.NullMarked;
