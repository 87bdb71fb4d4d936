package dev.hapax.kafka;

/**
 * The headers of a record that a relay has published; all values are UTF-8. {@link #ID}, {@link #TYPE} and {@link #TRACEPARENT} are named as Debezium's outbox event router names them when the
 * type is placed in the header {@code eventType}, so that consumers can switch.
 */
public final class KafkaHeaders {

    /** The message's id, a UUID: the same whenever its operation is applied. */
    public static final String ID = "id";

    /** The stored name of the body's type, such as {@code order-placed.v1}. */
    public static final String TYPE = "eventType";

    /** The W3C trace context of the publisher, if it had one. */
    public static final String TRACEPARENT = "traceparent";

    /** The scope of the operation that published it. */
    public static final String SCOPE = "hapax-scope";

    /** The producer of the operation's key: by default the service's name. */
    public static final String PRODUCER = "hapax-producer";

    /** The id of the operation's key. */
    public static final String KEY = "hapax-key";

    /** The operation's own time (ISO 8601), if its key has one. */
    public static final String KEY_TIME = "hapax-key-time";

    private KafkaHeaders() {}
}
