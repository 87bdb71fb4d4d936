package dev.hapax.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.consume.Consumer;
import dev.hapax.kafka.KafkaSource;
import dev.hapax.spi.Metrics;
import dev.hapax.testkit.ChildJvm;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** A consumer of a topic as a service would run it, that ends when it has applied so many records. */
public final class TopicReaderProcess {

    static final String DONE = "applied all: ";

    private TopicReaderProcess() {}

    /**
     * Reads so many records, and says how long that took, in nanoseconds, and the most heap that was in use, in bytes.
     *
     * @param args the database's URL, the broker, the topic, the consumer's name, how many records
     * @throws Exception if it can't
     */
    public static void main(String[] args) throws Exception {
        ChildJvm.endWithParent();
        long records = Long.parseLong(args[4]);
        AtomicLong applied = new AtomicLong();
        Metrics counting = new Metrics() {
            @Override
            public void handled(String consumer, Handling handling, long count) {
                applied.addAndGet(count);
            }
        };
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(args[0]);
        config.setMaximumPoolSize(6);
        long began = System.nanoTime();
        try (HikariDataSource pool = new HikariDataSource(config);
                Hapax hapax =
                        Hapax.on(pool).name("bench-heap").metrics(counting).open();
                Consumer consumer = hapax.consumer(args[3])
                        .from(KafkaSource.topic(args[2], Map.of("bootstrap.servers", args[1]))
                                .bytes())
                        .handleAll(
                                byte[].class,
                                (deliveries, tx) -> TopicRecords.insertDeliveries(tx.connection(), deliveries))
                        .start()) {
            Waiting.until(Duration.ofMinutes(10), consumer.name() + " reads the topic", () -> applied.get() >= records);
            System.out.println(DONE + (System.nanoTime() - began) + " " + mostInUse());
        }
    }

    /** The sum of the pools' own peaks: at least as much as was ever in use at once. */
    private static long mostInUse() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .map(MemoryPoolMXBean::getPeakUsage)
                .mapToLong(usage -> usage.getUsed())
                .sum();
    }
}
