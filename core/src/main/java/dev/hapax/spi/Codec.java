package dev.hapax.spi;

/**
 * Turns values into bytes and back. What is stored carries a name with a version ({@code order.v1}), never the name of a class, so
 * that renaming a class strands nothing.
 *
 * <p>Implementations must be safe for use by many threads.
 */
public interface Codec {

    /**
     * @throws IllegalArgumentException if the value's type has no name in this codec; the message says how to give it one
     */
    Encoded encode(Object value);

    /**
     * @param type the stored name
     * @param body the stored bytes
     * @param wanted what the caller asks for
     * @throws IllegalArgumentException if the name is unknown, the bytes don't fit it, or the value isn't of the wanted type
     */
    <T> T decode(String type, byte[] body, Class<T> wanted);

    /**
     * The bytes that stand for a request when two requests are compared: equal requests give equal bytes, whatever the order of their members.
     *
     * @throws IllegalArgumentException if the request can't be given such a form
     */
    byte[] canonical(Object request);
}
