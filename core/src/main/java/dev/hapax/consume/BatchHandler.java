package dev.hapax.consume;

import dev.hapax.once.BatchTransaction;
import java.util.List;

/**
 * Handles many messages at once, in one transaction with the reader's position: a multi-row {@code INSERT} costs a small part of as many single ones. It may run more than once, and over other parts
 * of the same messages, until a run commits: where it fails, it is called again with fewer messages, until the one that fails is alone.
 *
 * @param <T> what the messages' bodies are decoded to
 */
@FunctionalInterface
public interface BatchHandler<T> {

    /**
     * @param deliveries the messages, never empty: those of one message key in their order
     * @param tx what is done through it commits for all of them, or for none; {@code tx.of(delivery.key())} publishes for one of them
     * @throws Exception one of them failed, it is not said which: nothing of this call is committed
     */
    void handle(List<Delivery<T>> deliveries, BatchTransaction tx) throws Exception;
}
