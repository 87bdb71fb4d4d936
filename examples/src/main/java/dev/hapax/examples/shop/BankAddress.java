package dev.hapax.examples.shop;

import java.net.URI;

/**
 * The bank that billing calls.
 *
 * @param uri where it answers
 * @param honoursKeys whether two calls with one key have one effect there; if not, it can be asked
 */
public record BankAddress(URI uri, boolean honoursKeys) {}
