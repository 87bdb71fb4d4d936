package dev.hapax.kafka;

import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** How a record's value is decoded. */
sealed interface Decoding {

    /**
     * By the service's codec.
     *
     * @param type the stored name; blank where each record's header says it
     */
    record ByType(String type) implements Decoding {}

    record ByFunction(Function<? super ConsumerRecord<byte[], byte[]>, ?> function) implements Decoding {}
}
