package dev.hapax.consume;

/**
 * Handles one message. Its writes on the transaction's connection, what it publishes, and the reader's position commit together. It may run more than once
 * until one run commits, so an effect elsewhere (a call, a mail) does not belong here.
 *
 * @param <T> what the message's body is decoded to
 */
@FunctionalInterface
public interface Handler<T> {

    /** @throws Exception the message failed: nothing of this handler is committed, and it is tried again later, then set aside */
    void handle(T body, MessageTransaction tx) throws Exception;
}
