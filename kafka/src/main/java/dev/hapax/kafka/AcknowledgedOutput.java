package dev.hapax.kafka;

import dev.hapax.internal.consume.LaneMark;
import dev.hapax.log.Message;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** An idempotent producer without transactions: it returns when all is acknowledged, and the position is kept by the caller after that. */
final class AcknowledgedOutput implements Output {

    private final KafkaProducer<byte[], byte[]> producer;
    private final Records records;

    AcknowledgedOutput(Map<String, Object> properties, Records records) {
        this.records = records;
        this.producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    @Override
    public Result publish(List<Message> messages, List<LaneMark> marks, List<UUID> settled, Runnable meanwhile) {
        Sending sending = new Sending();
        int sent = 0;
        try {
            // What is refused before it is sent stops the others: they may have to wait behind it.
            while (sent < messages.size() && sending.isAllWell()) {
                Message message = messages.get(sent++);
                producer.send(records.of(message), sending.of(message));
            }
            meanwhile.run();
            producer.flush();
        } catch (KafkaException | IllegalStateException e) {
            throw Sending.sorted(e);
        }
        Exception trouble = sending.trouble();
        if (trouble != null) {
            throw Sending.sorted(trouble);
        }
        return new Result(sending.refused(), messages.subList(sent, messages.size()));
    }

    @Override
    public Result publishHeld(Message message, List<LaneMark> marks) {
        return publish(List.of(message), marks, List.of(), () -> {});
    }

    @Override
    public boolean isUsedUpByRefusals() {
        return false;
    }

    @Override
    public void close() {
        producer.close(Duration.ZERO);
    }
}
