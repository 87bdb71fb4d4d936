package dev.hapax.kafka;

/** A topic is not as it must be, or the position in it is lost; the message is for the person who can change it. */
final class UnsafeTopicException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UnsafeTopicException(String message) {
        super(message);
    }
}
