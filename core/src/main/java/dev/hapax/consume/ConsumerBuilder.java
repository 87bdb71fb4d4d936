package dev.hapax.consume;

import dev.hapax.Key;
import dev.hapax.consume.source.Source;
import dev.hapax.log.Message;
import java.time.Duration;
import java.util.function.Function;

/**
 * A consumer of the log or of a broker, got from {@link dev.hapax.Hapax#consumer(String)}: a topic or a source, and a handler must be set. All processes that start a consumer of one name
 * share its messages. Not safe for use by many threads.
 *
 * <p>All setters throw {@link IllegalArgumentException} for a value outside its range.
 */
public interface ConsumerBuilder {

    /** You must set, once or more, or {@link #from}: which messages of the log. */
    ConsumerBuilder topic(String topic);

    /** You must set, or {@link #topic}: a broker to read from, such as {@code KafkaSource.topic("orders.placed", properties)}. */
    ConsumerBuilder from(Source source);

    /**
     * You must set, once or more: what is done with a message whose body the codec decodes to this type. A message that no handler fits fails, and is set aside.
     */
    <T> ConsumerBuilder handle(Class<T> type, Handler<? super T> handler);

    /**
     * You must set, once or more, or {@link #handle}: what is done with all messages of this type that lie one behind another in a batch. For effects that the database does faster together, such as a multi-row {@code INSERT}.
     */
    <T> ConsumerBuilder handleAll(Class<T> type, BatchHandler<T> handler);

    /**
     * You may tune: remembers each message by its id as well, by a marker in the transaction of its effect, in the scope that is named as the consumer. A message that comes again, under another
     * number, is passed over. Default: by position alone, which is enough where a message is never written twice.
     */
    ConsumerBuilder deduplicateById();

    /**
     * You may tune: as {@link #deduplicateById}, by a key of your own. A message whose key is older than its scope's window is set aside, never applied.
     *
     * @param key the same for the same intended effect, whoever says it and how often
     */
    ConsumerBuilder deduplicateBy(Function<? super Message, Key> key);

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

    /**
     * You may tune: how many threads of this process handle messages, 1 to 16. Default 2. A message key is handled by one at a time. Where this process has fewer partitions of a source than threads,
     * the keys of a partition are shared out among them.
     */
    ConsumerBuilder concurrency(int threads);

    /** You may tune: the most messages of one transaction, 1 to 10,000; more than 8 MiB of them end it earlier. Default 500. */
    ConsumerBuilder batch(int messages);

    /**
     * You probably shouldn't: how long a process may be silent before others take over its lanes, 500 ms to 10 minutes. Default 3 seconds. A process that
     * wakes up after that changes nothing. With a source, the broker decides that; it is how long a batch in flight may take when its partition goes to another process, before it is rolled back.
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
     * @throws IllegalStateException if no topic or source or no handler is set, or this process already runs a consumer of this name
     */
    Consumer start();
}
