package dev.hapax.kafka;

import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A topic of a real broker, for one run of a scenario: outside of all its processes. Used by one thread at a time. */
final class ProofTopic implements AutoCloseable {

    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private final EmbeddedKafka kafka = EmbeddedKafka.shared();
    final String name = "proof-" + NUMBERS.incrementAndGet();
    final String positions = name + "-positions";

    ProofTopic() {
        kafka.createTopic(name, 1);
    }

    String servers() {
        return kafka.bootstrapServers();
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

    @Override
    public void close() {
        kafka.admin().deleteTopics(List.of(name));
    }
}
