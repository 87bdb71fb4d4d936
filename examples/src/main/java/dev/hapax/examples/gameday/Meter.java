package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Progress;
import dev.hapax.examples.stage.ShopDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Notes ten times a second how much fresh work is done, in a thread of its own, until it is closed. Thread-safe. */
final class Meter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Meter.class);
    private static final long PAUSE_MILLIS = 100;

    private final Progress progress;
    private final ShopDatabase database;
    private final List<Sample> samples = new ArrayList<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final Thread thread = Thread.ofPlatform().daemon().name("meter").unstarted(this::measure);
    private @Nullable Connection connection;
    private long billed;

    Meter(Progress progress, ShopDatabase database) {
        this.progress = progress;
        this.database = database;
        thread.start();
    }

    /**
     * How it stood at a moment.
     *
     * @param nanos when, by {@link System#nanoTime()}
     * @param answered lines that had their first answer
     * @param billed messages that billing had done; as long as the database can't be asked, what it said last
     */
    record Sample(long nanos, int answered, long billed) {}

    private void measure() {
        try {
            do {
                ask();
                Sample sample = new Sample(System.nanoTime(), progress.answered(), billed);
                synchronized (samples) {
                    samples.add(sample);
                }
            } while (!end.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            disconnect();
        }
    }

    private void ask() {
        try {
            if (connection == null) {
                connection = database.connectImpatiently(Duration.ofSeconds(1));
            }
            billed = database.billed(connection);
        } catch (SQLException down) {
            LOG.debug("the database can't be asked at the moment", down);
            disconnect();
        }
    }

    private void disconnect() {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException gone) {
                LOG.debug("a connection was gone already", gone);
            }
            connection = null;
        }
    }

    /** {@return all so far, in the order of time} */
    List<Sample> samples() {
        synchronized (samples) {
            return List.copyOf(samples);
        }
    }

    @Override
    public void close() {
        end.countDown();
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
