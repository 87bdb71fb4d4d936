package dev.hapax.kafka;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.consume.Consumer;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.log.Message;
import dev.hapax.testkit.ChildJvm;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;

/** A consumer in a process of its own. */
public final class SourceWorkerMain {

    /** The system property that says at which record the handler stands still, until {@link #GATE} can be had. */
    static final String STAND_AT = "hapax.standAt";

    /** An advisory lock of the database. */
    static final long GATE = 4_711;

    /** What it says when it stands there. */
    static final String STANDING = "standing inside a batch";

    /** The system property that makes it wrong: whose partition it is, and what of it is done, is not compared when the position is moved. */
    static final String UNFENCED = "hapax.unfenced";

    /** The system property that makes it write the effects of a batch together. */
    static final String TOGETHER = "hapax.together";

    private static final String FENCE =
            " AND p.epoch = v.epoch AND NOT p.done && v.moved AND coalesce(lower(v.moved) >= p.next_offset, true)";

    private static final AtomicInteger HANDLED = new AtomicInteger();

    private SourceWorkerMain() {}

    /** Database, broker, topic. */
    public static void main(String[] args) throws Exception {
        ChildJvm.endWithParent();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(args[0]);
        config.setMaximumPoolSize(6);
        try (HikariDataSource pool = new HikariDataSource(config);
                Hapax hapax = SourceFixture.open(Boolean.getBoolean(UNFENCED) ? unfenced(pool) : pool);
                Consumer running = handling(hapax.consumer("billing")
                                .from(KafkaSource.topic(args[2], SourceFixture.properties(args[1]))
                                        .decode(SourceFixture::text))
                                .concurrency(Integer.getInteger(STAND_AT, 0) > 0 ? 1 : 2))
                        .start()) {
            System.out.println("consuming");
            Thread.currentThread().join();
        }
    }

    private static ConsumerBuilder handling(ConsumerBuilder builder) {
        return Boolean.getBoolean(TOGETHER)
                ? builder.handleAll(
                        String.class, (deliveries, tx) -> SourceFixture.insertAll(tx.connection(), deliveries))
                : builder.batch(50).handle(String.class, (body, tx) -> handle(tx.connection(), tx.message(), body));
    }

    private static void handle(Connection connection, Message message, String body) throws SQLException {
        SourceFixture.insert(connection, message, body);
        if (HANDLED.incrementAndGet() == Integer.getInteger(STAND_AT, 0)) {
            System.out.println(STANDING);
            try (PreparedStatement gate = connection.prepareStatement("SELECT pg_advisory_xact_lock(" + GATE + ")")) {
                gate.execute();
            }
        }
    }

    private static DataSource unfenced(DataSource pool) {
        return proxy(DataSource.class, pool, UnaryOperator.identity());
    }

    static String withoutFence(String sql) {
        return sql.startsWith("UPDATE hapax.kafka_position p SET next_offset") ? cut(sql) : sql;
    }

    private static String cut(String sql) {
        if (!sql.contains(FENCE)) {
            throw new IllegalStateException("the statement is another one by now: " + sql);
        }
        return sql.replace(FENCE, "");
    }

    private static <T> T proxy(Class<T> type, T target, UnaryOperator<String> sql) {
        return type.cast(Proxy.newProxyInstance(
                SourceWorkerMain.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> {
                    if (method.getName().equals("prepareStatement")) {
                        args[0] = sql.apply((String) args[0]);
                    }
                    try {
                        Object result = method.invoke(target, args);
                        return result instanceof Connection connection
                                ? proxy(Connection.class, connection, SourceWorkerMain::withoutFence)
                                : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }
}
