package dev.hapax.kafka;

import dev.hapax.consume.Consumer.Lag;
import dev.hapax.internal.consume.LogFeed;
import dev.hapax.internal.consume.RelayStore;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A relay, its thread, and the feed with its lease. Safe for use by many threads. */
final class RunningRelay implements KafkaRelay {

    private static final Logger LOG = LoggerFactory.getLogger(RunningRelay.class);
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(10);

    private final String name;
    private final LogFeed feed;
    private final RelayRunner runner;
    private final Thread thread;
    private final AtomicBoolean stopped = new AtomicBoolean();

    private RunningRelay(RelaySettings settings) {
        this.name = settings.name;
        this.feed = LogFeed.of(settings.reader, false);
        this.runner = new RelayRunner(settings, feed, RelayStore.of(settings.reader));
        this.thread = Thread.ofPlatform().name("hapax-" + name).unstarted(runner);
    }

    static RunningRelay start(RelaySettings settings) {
        checkTopics(settings);
        RunningRelay relay = new RunningRelay(settings);
        relay.feed.open();
        relay.thread.start();
        return relay;
    }

    /** Wrong settings never start. A broker that is away is no wrong setting. */
    private static void checkTopics(RelaySettings settings) {
        try (TopicAdmin topics = new TopicAdmin(settings.connection, settings.replication)) {
            topics.check(settings.targets());
            if (settings.mode == Mode.EXACTLY_ONCE) {
                topics.positions(settings.positionTopic);
            }
        } catch (UnsafeTopicException e) {
            throw new IllegalArgumentException("relay " + settings.name + " does not start: " + e.getMessage(), e);
        } catch (KafkaException e) {
            LOG.warn(
                    "relay {} starts although the broker does not answer; topics are checked when it does: {}",
                    settings.name,
                    e.toString());
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public State state() {
        return thread.isAlive() ? runner.state() : State.STOPPED;
    }

    @Override
    public Optional<String> problem() {
        return Optional.ofNullable(runner.problem());
    }

    @Override
    public Lag lag() {
        return feed.lag();
    }

    @Override
    public boolean stop(Duration within) {
        if (!stopped.compareAndSet(false, true)) {
            return !thread.isAlive();
        }
        runner.stop();
        boolean ended = join(within);
        if (!ended) {
            LOG.warn("relay {} did not end its batch within {}; it is interrupted", name, within);
            thread.interrupt();
            join(Duration.ofSeconds(1));
        }
        feed.close();
        return ended;
    }

    private boolean join(Duration within) {
        try {
            return thread.join(within);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        stop(CLOSE_WITHIN);
    }
}
