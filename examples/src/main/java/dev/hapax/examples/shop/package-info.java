/** A shop and its billing: two services that share a database, once with Hapax and once as it is often written without. */
@NullMarked
package dev.hapax.examples.shop;

import org.jspecify.annotations.NullMarked;
