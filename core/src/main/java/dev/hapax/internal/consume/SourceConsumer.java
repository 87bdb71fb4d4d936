package dev.hapax.internal.consume;

import dev.hapax.consume.Consumer;
import dev.hapax.consume.source.Source;
import dev.hapax.internal.SystemSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running consumer of a source: one thread that reads, and workers. Safe for use by many threads. */
public final class SourceConsumer implements Consumer {

    private static final Logger LOG = LoggerFactory.getLogger(SourceConsumer.class);
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(10);
    private static final long AFTERWARDS_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final ConsumerGround ground;
    private final String name;
    private final SourcePoller poller;
    private final Thread pollThread;
    private final List<SourceWorker> workers = new ArrayList<>();
    private final WorkerThreads threads;
    private final Runnable whenStopped;
    private final AtomicBoolean stopped = new AtomicBoolean();

    public SourceConsumer(ConsumerGround ground, ConsumerSettings settings, Source source, Runnable whenStopped) {
        this.ground = ground;
        this.name = settings.name();
        this.threads = new WorkerThreads(name);
        this.whenStopped = whenStopped;
        // A new name for each run: a process that was started again must not be taken for its own zombie.
        String node = ground.shared().service() + "/" + SystemSource.INSTANCE.newUuidV7();
        SourceStore store = new SourceStore(name, node, source.groupId(name), settings.isDeduplicating());
        PositionStore members = new PositionStore(settings, node);
        this.poller = new SourcePoller(ground, settings, source, store, members, workers);
        for (int i = 0; i < settings.concurrency; i++) {
            SourceWorker worker = new SourceWorker(ground, settings, store, poller::retake, poller::room);
            workers.add(worker);
            threads.add(worker);
        }
        this.pollThread = Thread.ofPlatform().name("hapax-" + name + "-poll").unstarted(poller);
    }

    public void start() {
        ground.metrics()
                .consumer(name, () -> lag().messages(), () -> lag().oldest().toMillis() / 1000.0);
        threads.start();
        pollThread.start();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Lag lag() {
        return poller.flow().lag();
    }

    @Override
    public boolean stop(Duration within) {
        if (!stopped.compareAndSet(false, true)) {
            return !threads.isAnyAlive();
        }
        long deadline = SystemSource.INSTANCE.nanos() + within.toNanos();
        // The poller gives the partitions back when the workers have left them, or when the time is over.
        poller.stop(within);
        boolean polled = WorkerThreads.join(pollThread, deadline + AFTERWARDS_NANOS);
        workers.forEach(SourceWorker::stop);
        boolean ended = threads.join(deadline);
        if (!ended || !polled) {
            LOG.warn("consumer {} did not end its batch within {}; it is interrupted and rolled back", name, within);
            pollThread.interrupt();
            threads.rollBack();
        }
        ground.metrics().consumerStopped(name);
        whenStopped.run();
        return ended;
    }

    @Override
    public void close() {
        stop(CLOSE_WITHIN);
    }
}
