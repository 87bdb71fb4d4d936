package dev.hapax;

import dev.hapax.json.JsonCodec;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;

/** The fixture of the database tests: a database of its own, and a table in which effects are counted. */
public final class Shop implements AutoCloseable {

    /** Unique in this JVM, so that one test's keys are no other's. */
    private static final AtomicLong IDS = new AtomicLong();

    public final TestDatabase database;
    public final DataSource pool;
    public final Hapax hapax;

    private Shop(TestDatabase database, DataSource pool, Hapax hapax) {
        this.database = database;
        this.pool = pool;
        this.hapax = hapax;
    }

    public record Order(String id, int quantity) {}

    public record Receipt(String order) {}

    public static final JsonCodec CODEC = JsonCodec.builder()
            .type("order.v1", Order.class)
            .type("receipt.v1", Receipt.class)
            .build();

    public static Shop open() {
        return open(builder -> builder);
    }

    public static Shop open(UnaryOperator<HapaxBuilder> settings) {
        return open(prepared(), settings);
    }

    private static Shop open(TestDatabase database, UnaryOperator<HapaxBuilder> settings) {
        DataSource pool = database.pooled(10);
        return new Shop(database, pool, settings.apply(builder(pool)).open());
    }

    /** A database of its own, with the schema. */
    public static TestDatabase prepared() {
        TestDatabase database = EmbeddedDatabase.shared().createDatabase(Template.DATABASE);
        try {
            database.execute(
                    "UPDATE hapax.home SET id = gen_random_uuid(); UPDATE hapax.log_identity SET id = gen_random_uuid();"
                            + " UPDATE hapax.beat SET nonce = gen_random_uuid(), beat_at = clock_timestamp()");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return database;
    }

    /** Applying the schema takes longer than copying it. */
    private static final class Template {
        static final TestDatabase DATABASE = EmbeddedDatabase.shared().createDatabase();

        static {
            prepare(DATABASE);
        }
    }

    public static void prepare(TestDatabase database) {
        Schema.on(database.dataSource()).apply();
        try {
            database.execute(
                    "CREATE TABLE IF NOT EXISTS effect (id text NOT NULL, amount int NOT NULL, applied_at timestamptz DEFAULT clock_timestamp())");
            database.execute(
                    "CREATE TABLE IF NOT EXISTS handled (nth bigserial, message_key text NOT NULL, body text NOT NULL)");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    public static HapaxBuilder builder(DataSource pool) {
        return Hapax.on(pool).name("shop").codec(CODEC);
    }

    public static Key newKey() {
        return Key.generate("orders");
    }

    public static String newId() {
        return "id-" + IDS.incrementAndGet();
    }

    /** The effect whose rows are counted. */
    public static void effect(Connection connection, String id) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO effect (id, amount) VALUES (?, 1)")) {
            insert.setString(1, id);
            insert.executeUpdate();
        }
    }

    /** Runs something beside the test, on a thread of its own: the common pool has one thread on a small machine. */
    public static <T> CompletableFuture<T> async(Callable<T> work) {
        CompletableFuture<T> future = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                future.complete(work.call());
            } catch (Throwable t) {
                future.completeExceptionally(t);
            }
        });
        return future;
    }

    /** The rows of one operation in the target. */
    public long effects(Key key) throws SQLException {
        return effects(key.id());
    }

    public long effects(String id) throws SQLException {
        return database.queryLong("SELECT count(*) FROM effect WHERE id = '" + id + "'");
    }

    @Override
    public void close() {
        hapax.close();
        database.close();
    }
}
