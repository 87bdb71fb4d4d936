package dev.hapax.benchmarks;

import dev.hapax.Key;
import dev.hapax.consume.ConsumerBuilder;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/** An operation with a one-row effect and one message, by Hapax and by hand. Messages are numbered, so that a reader can tell which it got. */
final class Messages {

    static final String TOPIC = "payments.made";
    private static final int KEYS = 1_000;
    private static final int BODY_BYTES = 200;

    private final Lab lab;
    private final Payments payments;
    private final String insertIntoLog;
    private final AtomicInteger byHapax = new AtomicInteger();
    private final AtomicInteger byHand = new AtomicInteger();

    Messages(Lab lab) {
        this.lab = lab;
        this.payments = new Payments(lab);
        this.insertIntoLog = "INSERT INTO " + lab.log() + " (day, lane, number, id, topic, message_key, type, scope,"
                + " producer, key, key_time, trace, body) VALUES (DATE '" + lab.day
                + "', ?, nextval(CAST(CAST(? AS text) AS regclass)), ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)";
    }

    static byte[] body(int number) {
        return ByteBuffer.allocate(BODY_BYTES).putInt(number).array();
    }

    static int number(byte[] body) {
        return ByteBuffer.wrap(body).getInt();
    }

    private static String messageKey(int number) {
        return "customer-" + number % KEYS;
    }

    /** Numbers that were given to messages by Hapax, and by hand. */
    int published() {
        return byHapax.get();
    }

    int publishedByHand() {
        return byHand.get();
    }

    /** Returns the message's number. */
    int once(String side, String id) throws SQLException {
        int number = byHapax.getAndIncrement();
        lab.hapax.once(Key.of(Lab.SCOPE, id)).run(tx -> {
            Payments.effect(tx.connection(), side, id);
            tx.publish(TOPIC, messageKey(number), body(number));
        });
        return number;
    }

    /** What is written after marker and effect. */
    @FunctionalInterface
    interface Third {
        void insert(Connection connection, String id, int number) throws SQLException;
    }

    int byHand(String side, String id, Third third) throws SQLException {
        int number = byHand.getAndIncrement();
        payments.inserts(side, id, connection -> third.insert(connection, id, number));
        return number;
    }

    /** Into an ordinary outbox. */
    void outbox(Connection connection, String id, int number) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(OutboxPoller.INSERT)) {
            insert.setObject(1, UUID.fromString(id));
            insert.setString(2, TOPIC);
            insert.setString(3, messageKey(number));
            insert.setBytes(4, body(number));
            insert.executeUpdate();
        }
    }

    /** The same row that Hapax writes, by hand. */
    void log(Connection connection, String id, int number) throws SQLException {
        int lane = number % 16;
        try (PreparedStatement insert = connection.prepareStatement(insertIntoLog)) {
            insert.setInt(1, lane);
            insert.setString(2, "hapax.lane_" + lane);
            insert.setObject(3, UUID.fromString(id));
            insert.setString(4, TOPIC);
            insert.setString(5, messageKey(number));
            insert.setString(6, "bytes");
            insert.setString(7, Lab.SCOPE);
            insert.setString(8, Lab.BY_HAND);
            insert.setString(9, id);
            insert.setObject(10, java.time.OffsetDateTime.now(java.time.ZoneOffset.UTC));
            insert.setBytes(11, body(number));
            insert.executeUpdate();
        }
    }

    /** A consumer of these messages that does nothing but note their numbers. */
    static ConsumerBuilder consumer(dev.hapax.Hapax hapax, String name, IntConsumer note) {
        return hapax.consumer(name).topic(TOPIC).handle(byte[].class, (body, tx) -> note.accept(number(body)));
    }

    /** Where a consumer starts that starts "now" is settled by its own threads, when its positions are there. */
    static void awaitStarted(Lab lab, String consumer) throws InterruptedException {
        Waiting.until(
                java.time.Duration.ofSeconds(60),
                "consumer " + consumer + " has its lanes",
                () -> lab.number("SELECT count(*) FROM hapax.position WHERE owner IS NOT NULL AND consumer = '"
                                + consumer + "'")
                        == 16);
    }

    /** Positions of a consumer at the end of each lane, without gaps. */
    static void checkAtTheEnd(Lab lab, String consumer) throws Exception {
        StringBuilder sql = new StringBuilder("SELECT count(*) FROM hapax.position p JOIN (");
        for (int lane = 0; lane < 16; lane++) {
            sql.append(lane == 0 ? "" : " UNION ALL ")
                    .append("SELECT ")
                    .append(lane)
                    .append(" AS lane, CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM hapax.lane_")
                    .append(lane);
        }
        sql.append(") l ON l.lane = p.lane WHERE p.consumer = '")
                .append(consumer)
                .append("' AND p.low = l.last AND p.done = '{}'");
        String atTheEnd = sql.toString();
        Waiting.until(
                java.time.Duration.ofSeconds(10),
                "consumer " + consumer + " ends all 16 lanes without a gap",
                () -> lab.number(atTheEnd) == 16);
        WrongRows.unlessEqual("held messages", 0, lab.number("SELECT count(*) FROM hapax.held"));
    }
}
