package dev.hapax.kafka;

import dev.hapax.Key;
import dev.hapax.log.Message;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Makes records of messages: the body untouched, the message key as key, the rest in {@link KafkaHeaders headers}, the time of publishing as timestamp. */
final class Records {

    private static final int OVERHEAD = 100;
    private static final int HEADER_OVERHEAD = 10;

    private final Map<String, String> topics;

    /** @param topics Kafka's name by the log's */
    Records(Map<String, String> topics) {
        this.topics = Map.copyOf(topics);
    }

    String topicOf(Message message) {
        return topics.getOrDefault(message.topic(), message.topic());
    }

    ProducerRecord<byte[], byte[]> of(Message message) {
        return new ProducerRecord<>(
                topicOf(message),
                null,
                message.publishedAt().toEpochMilli(),
                utf8(message.messageKey()),
                message.body(),
                headers(message));
    }

    /** At most so many bytes in a batch of its own, as the producer reckons it; a little more. */
    static long sizeOf(ProducerRecord<byte[], byte[]> record) {
        long size = (long) OVERHEAD + record.key().length + record.value().length;
        for (Header header : record.headers()) {
            size += HEADER_OVERHEAD + header.key().length() + header.value().length;
        }
        return size;
    }

    private static List<Header> headers(Message message) {
        Key operation = message.operation();
        List<Header> headers = new ArrayList<>(7);
        headers.add(header(KafkaHeaders.ID, message.id().toString()));
        headers.add(header(KafkaHeaders.TYPE, message.type()));
        headers.add(header(KafkaHeaders.SCOPE, operation.scope()));
        operation.producer().ifPresent(producer -> headers.add(header(KafkaHeaders.PRODUCER, producer)));
        headers.add(header(KafkaHeaders.KEY, operation.id()));
        operation.time().ifPresent(time -> headers.add(header(KafkaHeaders.KEY_TIME, time.toString())));
        message.traceparent().ifPresent(trace -> headers.add(header(KafkaHeaders.TRACEPARENT, trace)));
        return headers;
    }

    private static Header header(String name, String value) {
        return new RecordHeader(name, utf8(value));
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
