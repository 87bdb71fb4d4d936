package dev.hapax.consume;

import java.time.Duration;

/**
 * A consumer of the log, got from {@link dev.hapax.Hapax#consumer(String)}: a topic and a handler must be set. All processes that start a consumer of one name
 * share its messages. Not safe for use by many threads.
 *
 * <p>All setters throw {@link IllegalArgumentException} for a value outside its range.
 */
public interface ConsumerBuilder {

    /** You must set, once or more: which messages. */
    ConsumerBuilder topic(String topic);

    /**
     * You must set, once or more: what is done with a message whose body the codec decodes to this type. A message that no handler fits fails, and is set aside.
     */
    <T> ConsumerBuilder handle(Class<T> type, Handler<? super T> handler);

    /** You may tune: after how many tries a message is set aside, 1 to 1000. Default 5. */
    ConsumerBuilder quarantineAfter(int attempts);

    /**
     * You may tune: how long a failed message waits for its next try: doubling from the first (1 ms to 1 hour) to the longest (up to a day), with jitter. Default 200 ms to 1 minute. Other
     * keys go on meanwhile.
     */
    ConsumerBuilder backoff(Duration first, Duration longest);

    /**
     * You may tune: lets later messages of a key go on while an earlier one waits for its next try or is set aside. Default: they wait behind it, in order.
     */
    ConsumerBuilder continuePastFailures();

    /** You may tune: where to start without a position. Default {@link Start#BEGINNING}. */
    ConsumerBuilder startFrom(Start start);

    /** You may tune: how many threads of this process handle messages, 1 to 16. Default 2. A message key is handled by one at a time. */
    ConsumerBuilder concurrency(int threads);

    /** You may tune: the most messages of one transaction, 1 to 10,000. Default 500. */
    ConsumerBuilder batch(int messages);

    /**
     * You probably shouldn't: how long a process may be silent before others take over its lanes, 500 ms to 10 minutes. Default 3 seconds. A process that
     * wakes up after that changes nothing.
     */
    ConsumerBuilder lease(Duration time);

    /** You probably shouldn't: the longest pause between two looks when nothing comes, 1 ms to 10 s. Default 100 ms. */
    ConsumerBuilder idle(Duration longest);

    /**
     * You probably shouldn't: how many messages may be held (failed, set aside, or waiting behind those) before the consumer stops taking new ones, 1 to 10,000,000. Default
     * 100,000: that many failures are not the messages' fault.
     */
    ConsumerBuilder heldMax(int messages);

    /**
     * Starts threads of this process.
     *
     * @throws IllegalStateException if no topic or no handler is set, or this process already runs a consumer of this name
     */
    Consumer start();
}
