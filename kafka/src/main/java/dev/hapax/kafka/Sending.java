package dev.hapax.kafka;

import dev.hapax.kafka.Output.Refusal;
import dev.hapax.kafka.Output.Superseded;
import dev.hapax.log.Message;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** What became of the records of one batch, as the producer's thread tells it. Safe for use by many threads. */
final class Sending {

    private final Queue<Refusal> refused = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable Exception> trouble = new AtomicReference<>();

    Callback of(Message message) {
        return (metadata, failure) -> {
            if (failure != null && isRefusal(failure)) {
                refused.add(new Refusal(message, reason(failure)));
            } else if (failure != null) {
                trouble.compareAndSet(null, failure);
            }
        };
    }

    /** For what must not fail. */
    Callback ofPosition() {
        return (metadata, failure) -> {
            if (failure != null) {
                trouble.compareAndSet(null, failure);
            }
        };
    }

    /** Whether nothing was refused and nothing has failed so far. Each further send could wait in vain for a broker that is away. */
    boolean isAllWell() {
        return refused.isEmpty() && trouble.get() == null;
    }

    List<Refusal> refused() {
        return List.copyOf(refused);
    }

    /** What failed that was not a message's own fault. */
    @Nullable
    Exception trouble() {
        return trouble.get();
    }

    /** The message's own fault, or that of its topic: the same would happen again. */
    private static boolean isRefusal(Exception failure) {
        return failure instanceof RecordTooLargeException
                || failure instanceof InvalidTopicException
                || failure instanceof UnknownTopicOrPartitionException
                || failure instanceof TopicAuthorizationException
                || failure instanceof SerializationException;
    }

    private static String reason(Exception failure) {
        return failure.getClass().getName() + ": " + failure.getMessage();
    }

    /** Sorts a failure by what the relay does next. */
    static RuntimeException sorted(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ProducerFencedException
                    || cause instanceof InvalidProducerEpochException
                    || cause instanceof FencedInstanceIdException) {
                return new Superseded("the broker has fenced this producer", cause);
            }
        }
        return failure instanceof RuntimeException known ? known : new KafkaException(failure);
    }
}
