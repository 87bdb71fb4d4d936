package dev.hapax.kafka;

import dev.hapax.internal.consume.LaneMark;
import dev.hapax.log.Message;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A transaction for each batch, that also writes where the lanes are: both are seen, or neither. */
final class TransactionalOutput implements Output {

    private final Producer<byte[], byte[]> producer;
    private final Records records;
    private final PositionTopic positions;

    /**
     * Fences every earlier producer of this id; what it had open is aborted, or committed if that had begun.
     *
     * @throws RuntimeException if the broker can't be reached
     */
    TransactionalOutput(
            Map<String, Object> properties, String transactionalId, Records records, PositionTopic positions) {
        this(producer(properties, transactionalId), records, positions);
    }

    /** As the other, with a producer that is made, and does nothing yet. */
    TransactionalOutput(Producer<byte[], byte[]> producer, Records records, PositionTopic positions) {
        this.records = records;
        this.positions = positions;
        this.producer = producer;
        try {
            producer.initTransactions();
        } catch (RuntimeException e) {
            close();
            throw Sending.sorted(e);
        }
    }

    static Producer<byte[], byte[]> producer(Map<String, Object> properties, String transactionalId) {
        Map<String, Object> all = new HashMap<>(properties);
        all.put("transactional.id", transactionalId);
        // The next process aborts what this one left open; until then it would keep readers of committed records
        // waiting.
        all.putIfAbsent("transaction.timeout.ms", 30_000);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    @Override
    public Result publish(List<Message> messages, List<LaneMark> marks, List<UUID> settled, Runnable meanwhile) {
        return inTransaction(
                sending -> {
                    for (Message message : messages) {
                        send(records.of(message), sending, sending.of(message));
                    }
                    for (UUID message : settled) {
                        send(positions.settled(message), sending, sending.ofPosition());
                    }
                    for (LaneMark mark : marks) {
                        send(positions.of(mark), sending, sending.ofPosition());
                    }
                },
                meanwhile);
    }

    @Override
    public Result publishHeld(Message message, List<LaneMark> marks) {
        return inTransaction(
                sending -> {
                    send(records.of(message), sending, sending.of(message));
                    send(positions.published(message.id()), sending, sending.ofPosition());
                    for (LaneMark mark : marks) {
                        send(positions.of(mark), sending, sending.ofPosition());
                    }
                },
                () -> {});
    }

    /** Nothing more, once something has failed: each further send could wait in vain for a broker that is away. */
    private void send(ProducerRecord<byte[], byte[]> record, Sending sending, Callback callback) {
        if (sending.isAllWell()) {
            producer.send(record, callback);
        }
    }

    private interface Work {
        void run(Sending sending);
    }

    private Result inTransaction(Work work, Runnable meanwhile) {
        Sending sending = new Sending();
        try {
            producer.beginTransaction();
            work.run(sending);
            Exception trouble = sending.trouble();
            if (trouble != null) {
                throw Sending.sorted(trouble);
            }
            if (sending.isAllWell()) {
                meanwhile.run();
                producer.commitTransaction();
                return Result.ALL;
            }
        } catch (KafkaException | IllegalStateException e) {
            // A refused record makes the transaction one that can only be aborted; the error that shows it may be of
            // another record.
            RuntimeException sorted = Sending.sorted(e);
            if (sorted instanceof Superseded || sending.refused().isEmpty()) {
                throw sorted;
            }
        }
        // What is left open is aborted by whoever fences this producer next.
        return new Result(sending.refused(), List.of());
    }

    @Override
    public boolean isUsedUpByRefusals() {
        return true;
    }

    @Override
    public void close() {
        producer.close(Duration.ZERO);
    }
}
