package dev.hapax.internal.consume;

import dev.hapax.consume.Consumer;
import dev.hapax.internal.Signals;
import dev.hapax.internal.SystemSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running consumer: one thread that keeps leases, and workers. Safe for use by many threads. */
public final class LogConsumer implements Consumer {

    private static final Logger LOG = LoggerFactory.getLogger(LogConsumer.class);
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(10);

    private final ConsumerGround ground;
    private final String name;
    private final List<LaneWorker> workers = new ArrayList<>();
    private final WorkerThreads threads;
    private final LeaseKeeper leases;
    private final Thread leaseThread;
    private final Signals.Listener wake = this::wake;
    private final Runnable whenStopped;
    private final AtomicBoolean stopped = new AtomicBoolean();

    public LogConsumer(ConsumerGround ground, ConsumerSettings settings, Runnable whenStopped) {
        this.ground = ground;
        this.name = settings.name();
        this.threads = new WorkerThreads(name);
        this.whenStopped = whenStopped;
        // A new name for each run: a process that was started again must not be taken for its own zombie.
        String node = ground.shared().service() + "/" + SystemSource.INSTANCE.newUuidV7();
        PositionStore positions = new PositionStore(settings, node);
        ConcurrentLinkedQueue<Short> released = new ConcurrentLinkedQueue<>();
        for (int i = 0; i < settings.concurrency; i++) {
            LaneWorker worker = new LaneWorker(ground, settings, positions, released);
            workers.add(worker);
            threads.add(worker);
        }
        this.leases = new LeaseKeeper(ground, settings, positions, List.copyOf(workers), released);
        this.leaseThread =
                Thread.ofPlatform().daemon().name("hapax-" + name + "-leases").unstarted(leases);
    }

    public void start() {
        ground.metrics()
                .consumer(name, () -> lag().messages(), () -> lag().oldest().toMillis() / 1000.0);
        ground.signals().add(wake);
        threads.start();
        leaseThread.start();
    }

    private void wake(int inLanes, boolean there) {
        workers.forEach(worker -> worker.wake(inLanes, there));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Lag lag() {
        long messages = 0;
        Duration oldest = Duration.ZERO;
        for (LaneWorker worker : workers) {
            Lag lag = worker.lag();
            messages += lag.messages();
            oldest = lag.oldest().compareTo(oldest) > 0 ? lag.oldest() : oldest;
        }
        return new Lag(messages, oldest);
    }

    @Override
    public boolean stop(Duration within) {
        if (!stopped.compareAndSet(false, true)) {
            return !threads.isAnyAlive();
        }
        long deadline = SystemSource.INSTANCE.nanos() + within.toNanos();
        ground.signals().remove(wake);
        // Leases first: a lane that is given back must not be taken again. Workers keep theirs by what they commit.
        leases.stop();
        WorkerThreads.join(leaseThread, deadline);
        workers.forEach(LaneWorker::stop);
        boolean ended = threads.join(deadline);
        if (!ended) {
            LOG.warn("consumer {} did not end its batch within {}; it is interrupted and rolled back", name, within);
            threads.rollBack();
        }
        leases.leave();
        ground.metrics().consumerStopped(name);
        whenStopped.run();
        return ended;
    }

    @Override
    public void close() {
        stop(CLOSE_WITHIN);
    }
}
