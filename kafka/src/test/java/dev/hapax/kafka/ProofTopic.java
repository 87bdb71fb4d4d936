package dev.hapax.kafka;

import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Topics of a real broker, for one run of a scenario: outside of all its processes. Used by one thread at a time. */
final class ProofTopic implements AutoCloseable {

    private static final AtomicInteger NUMBERS = new AtomicInteger();
    private static final int PATIENCE_SECONDS = 30;

    private final EmbeddedKafka kafka = EmbeddedKafka.shared();
    private final Set<String> put = ConcurrentHashMap.newKeySet();
    final String name = "proof-" + NUMBERS.incrementAndGet();
    final String positions = name + "-positions";

    ProofTopic() {
        kafka.createTopic(name, 1);
    }

    private static final class Producing {
        static final KafkaProducer<byte[], byte[]> PRODUCER = new KafkaProducer<>(
                Map.of("bootstrap.servers", EmbeddedKafka.shared().bootstrapServers(), "linger.ms", 0),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    String servers() {
        return kafka.bootstrapServers();
    }

    /** Writes a record that names an operation, unless it is there. */
    void put(String key, String id) throws Exception {
        if (put.contains(id)) {
            return;
        }
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(name, SourceFixture.bytes(key), SourceFixture.bytes(id));
        record.headers().add(KafkaHeaders.ID, SourceFixture.bytes(id));
        Producing.PRODUCER.send(record).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        put.add(id);
    }

    private List<ConsumerRecord<byte[], byte[]>> records() {
        return RelayFixture.records(kafka, name, 1);
    }

    /** How many committed records there are of each operation. */
    Map<String, Long> published() {
        Map<String, Long> counts = new HashMap<>();
        records().forEach(record -> counts.merge(RelayFixture.value(record), 1L, Long::sum));
        return counts;
    }

    /** Operations are numbered in the order in which they were sent; records of a key must come in that order. */
    List<String> outOfOrder() {
        Map<String, Integer> last = new HashMap<>();
        List<String> wrong = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : records()) {
            int nth = Integer.parseInt(RelayFixture.value(record).substring("op-".length()));
            Integer before = last.put(RelayFixture.key(record), nth);
            if (before != null && before > nth) {
                wrong.add("op-" + nth + " lies behind op-" + before);
            }
        }
        return wrong;
    }

    /** The broker has not heard of any process of the group for too long. */
    void forgetMembers() {
        try {
            boolean empty = kafka.admin()
                    .describeConsumerGroups(List.of(name))
                    .all()
                    .get(PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .get(name)
                    .members()
                    .isEmpty();
            if (empty) {
                return;
            }
            kafka.admin()
                    .removeMembersFromConsumerGroup(name, new RemoveMembersFromConsumerGroupOptions())
                    .all()
                    .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (!isNobodyThere(e)) {
                throw new IllegalStateException("the group could not be emptied", e);
            }
        } catch (TimeoutException e) {
            throw new IllegalStateException("the group could not be emptied", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean isNobodyThere(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof GroupIdNotFoundException
                    || cause instanceof GroupNotEmptyException
                    || cause instanceof UnknownMemberIdException
                    || cause instanceof IllegalArgumentException) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        kafka.admin().deleteTopics(List.of(name));
    }
}
