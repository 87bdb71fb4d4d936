package dev.hapax.spi;

/**
 * A value as it is stored.
 *
 * @param type its name with a version, 1 to 200 characters, such as {@code order.v1}
 * @param body its bytes; not copied, so not to be changed
 */
public record Encoded(String type, byte[] body) {}
