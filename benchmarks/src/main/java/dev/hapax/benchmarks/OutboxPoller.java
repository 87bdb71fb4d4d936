package dev.hapax.benchmarks;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The poller that one writes by hand: 500 rows above the last number, a no-op or a note for each, the position in the same transaction, 1 ms of pause when there is
 * nothing. It skips the messages of slow transactions: a number is drawn before its transaction commits.
 */
final class OutboxPoller implements Runnable, AutoCloseable {

    static final String INSERT = "INSERT INTO bench.outbox (id, topic, message_key, body) VALUES (?, ?, ?, ?)";

    private static final int ROWS = 500;
    private static final long PAUSE_NANOS = 1_000_000;
    private static final String SELECT = "SELECT number, id, topic, message_key, body, published_at FROM bench.outbox"
            + " WHERE number > ? ORDER BY number LIMIT " + ROWS;

    private final Lab lab;
    private final String reader;
    private final Consumer<byte[]> handler;
    private final Thread thread;
    private long position;
    private volatile boolean stopping;
    private volatile boolean paused;
    private volatile Throwable failure;

    OutboxPoller(Lab lab, String reader, Consumer<byte[]> handler) throws SQLException {
        this.lab = lab;
        this.reader = reader;
        this.handler = handler;
        this.failure = NONE;
        lab.execute("INSERT INTO bench.position VALUES ('" + reader + "', 0) ON CONFLICT DO NOTHING");
        this.position = lab.number("SELECT number FROM bench.position WHERE reader = '" + reader + "'");
        this.thread =
                Thread.ofPlatform().daemon().name("bench-poller-" + reader).unstarted(this);
    }

    private static final Throwable NONE = new Throwable();

    OutboxPoller start() {
        thread.start();
        return this;
    }

    /** While the other side works, this one must not cost anything. */
    void pause(boolean now) {
        paused = now;
        LockSupport.unpark(thread);
    }

    @Override
    public void run() {
        try {
            while (!stopping) {
                if (paused) {
                    LockSupport.parkNanos(this, 100 * PAUSE_NANOS);
                } else if (poll() == 0) {
                    LockSupport.parkNanos(this, PAUSE_NANOS);
                }
            }
        } catch (SQLException | RuntimeException e) {
            failure = e;
        }
    }

    private int poll() throws SQLException {
        try (Connection connection = lab.pool.getConnection()) {
            connection.setAutoCommit(false);
            int read = 0;
            long last = position;
            try (PreparedStatement select = connection.prepareStatement(SELECT)) {
                select.setLong(1, position);
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        last = row.getLong(1);
                        handle(row);
                        read++;
                    }
                }
            }
            if (read > 0) {
                move(connection, last);
            }
            connection.commit();
            position = last;
            return read;
        }
    }

    private void handle(ResultSet row) throws SQLException {
        UUID id = row.getObject(2, UUID.class);
        String topic = row.getString(3);
        String key = row.getString(4);
        WrongRows.unless(id != null && topic != null && key != null, "an outbox row without its columns");
        handler.accept(row.getBytes(5));
    }

    private void move(Connection connection, long to) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE bench.position SET number = ? WHERE reader = ?")) {
            update.setLong(1, to);
            update.setString(2, reader);
            update.executeUpdate();
        }
    }

    @Override
    public void close() throws InterruptedException {
        stopping = true;
        LockSupport.unpark(thread);
        thread.join();
        if (failure != NONE) {
            throw new IllegalStateException("the poller by hand failed", failure);
        }
    }
}
