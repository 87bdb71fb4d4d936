package dev.hapax.kafka;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.testkit.ChildJvm;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/** A relay in a process of its own, that can be told where to die. */
public final class RelayWorker {

    /** The system property that says how many records are sent before the process halts, in the middle of a transaction. */
    static final String DIE_AT_SEND = "hapax.dieAtSend";

    /** The system property that says before which move of the database's copy the process halts: the broker has committed, the database doesn't know. */
    static final String DIE_AT_MOVE = "hapax.dieAtMove";

    private static final AtomicInteger SENT = new AtomicInteger();
    private static final AtomicInteger MOVED = new AtomicInteger();

    private RelayWorker() {}

    /** Database, broker, topic, position topic, mode. */
    public static void main(String[] args) throws Exception {
        ChildJvm.endWithParent();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(args[0]);
        config.setMaximumPoolSize(4);
        Map<String, Object> producer = new HashMap<>(Map.of("bootstrap.servers", args[1]));
        if (Integer.getInteger(DIE_AT_SEND, 0) > 0) {
            producer.put("interceptor.classes", DyingInterceptor.class.getName());
        }
        try (HikariDataSource pool = new HikariDataSource(config);
                Hapax hapax = Hapax.on(Integer.getInteger(DIE_AT_MOVE, 0) > 0 ? dying(pool) : pool)
                        .name("shop")
                        .open();
                KafkaRelay relay = KafkaRelay.of(hapax, "orders-relay")
                        .topic(RelayFixture.PLACED, args[2])
                        .producer(producer)
                        .positionTopic(args[3])
                        .mode(KafkaRelay.Mode.valueOf(args[4]))
                        .batch(200)
                        .replication(1)
                        .lease(Duration.ofSeconds(1))
                        .start()) {
            System.out.println("relaying");
            Thread.currentThread().join();
        }
    }

    /** Public, since Kafka makes it. */
    public static final class DyingInterceptor implements ProducerInterceptor<byte[], byte[]> {

        @Override
        public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> record) {
            if (SENT.incrementAndGet() == Integer.getInteger(DIE_AT_SEND)) {
                Runtime.getRuntime().halt(1);
            }
            return record;
        }

        @Override
        public void onAcknowledgement(RecordMetadata metadata, Exception exception) {}

        @Override
        public void close() {}

        @Override
        public void configure(Map<String, ?> configs) {}
    }

    private static DataSource dying(DataSource pool) {
        return proxy(
                DataSource.class,
                pool,
                (method, args, result) -> result instanceof Connection connection
                        ? proxy(Connection.class, connection, RelayWorker::prepared)
                        : result);
    }

    private static Object prepared(String method, Object[] args, Object result) {
        if (method.equals("prepareStatement")
                && args[0].toString().startsWith("UPDATE hapax.position p SET low")
                && MOVED.incrementAndGet() == Integer.getInteger(DIE_AT_MOVE)) {
            Runtime.getRuntime().halt(1);
        }
        return result;
    }

    private interface After {
        Object done(String method, Object[] args, Object result) throws Exception;
    }

    private static <T> T proxy(Class<T> type, T target, After after) {
        return type.cast(Proxy.newProxyInstance(
                RelayWorker.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> {
                    try {
                        return after.done(method.getName(), args, method.invoke(target, args));
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }
}
